# The build graph is the architecture: one library per second-level folder, named bramble_FOLDER
# with the alias bramble::FOLDER, linked only to the rooms that it may see.

# bramble_library(NAME SOURCES file... [PUBLIC lib...] [PRIVATE lib...])
function(bramble_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    if(ARG_SOURCES)
        add_library(bramble_${name} STATIC ${ARG_SOURCES})
        target_link_libraries(bramble_${name} PUBLIC ${ARG_PUBLIC} PRIVATE bramble_warnings ${ARG_PRIVATE})
    else()
        add_library(bramble_${name} INTERFACE)
        target_link_libraries(bramble_${name} INTERFACE ${ARG_PUBLIC})
    endif()
    add_library(bramble::${name} ALIAS bramble_${name})
endfunction()

# bramble_test(NAME SOURCES file... LIBRARIES lib... [LABELS label...] [TIMEOUT seconds])
# A GoogleTest program, one ctest entry each; the label says which part of tests/run it belongs to.
function(bramble_test name)
    if(NOT BRAMBLE_TESTS)
        return()
    endif()
    cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
    find_package(GTest REQUIRED)
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} bramble_warnings GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name} PRIVATE BRAMBLE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    # Those that may take long begin first: the others fit beside them.
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} COST ${ARG_TIMEOUT})
endfunction()

# bramble_fuzz(NAME SOURCES file... LIBRARIES lib...): a libFuzzer target fuzz_NAME, whose seeds lie in
# tests/fuzz/corpus/NAME.
function(bramble_fuzz name)
    if(NOT BRAMBLE_FUZZ)
        return()
    endif()
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    add_executable(fuzz_${name} ${ARG_SOURCES})
    target_link_libraries(fuzz_${name} PRIVATE ${ARG_LIBRARIES} bramble_warnings)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
