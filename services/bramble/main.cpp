#include "services/bramble/invocation.hpp"

int main(int argc, char** argv) {
    return bramble::program::run_program(argc, argv);
}
