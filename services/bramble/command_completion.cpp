#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "services/bramble/invocation.hpp"

namespace bramble::program {
namespace {

// One subcommand as a shell completes it; read from the parser itself, so that it cannot drift.
struct Words {
    std::string command;
    std::string description;
    std::vector<std::pair<std::string, std::string>> options;  // "--json", its description
};

std::vector<Words> collect(const CLI::App& app) {
    std::vector<Words> out;
    for (const CLI::App* command : app.get_subcommands(nullptr)) {
        std::string description = command->get_description();
        description = description.substr(0, description.find('\n'));
        Words words{command->get_name(), std::move(description), {}};
        for (const CLI::Option* option : command->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                words.options.emplace_back("--" + name, option->get_description());
            }
        }
        out.push_back(std::move(words));
    }
    return out;
}

std::string commands_of(const std::vector<Words>& all) {
    std::string out;
    for (const Words& words : all) out += (out.empty() ? "" : " ") + words.command;
    return out;
}

std::string options_of(const Words& words) {
    std::string out;
    for (const auto& [name, description] : words.options) out += (out.empty() ? "" : " ") + name;
    return out;
}

std::string for_bash(const std::vector<Words>& all) {
    std::string cases;
    for (const Words& words : all) {
        cases += fmt::format("        {}) words=\"{}\" ;;\n", words.command, options_of(words));
    }
    return fmt::format(
        R"(_bramble() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words
    case $previous in
        -f|--fleet) COMPREPLY=($(compgen -f -- "$current")); return ;;
        completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$current")); return ;;
    esac
    case ${{COMP_WORDS[1]}} in
{}        *) words="{}" ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o filenames -F _bramble bramble
)",
        cases,
        commands_of(all)
    );
}

// Text inside '…[…]' of zsh and '…' of fish.
std::string quoted(std::string text) {
    std::erase_if(text, [](char c) { return c == '\'' || c == '[' || c == ']' || c == '\n'; });
    std::replace(text.begin(), text.end(), ':', ',');
    return text;
}

std::string for_zsh(const std::vector<Words>& all) {
    std::string commands;
    std::string cases;
    for (const Words& words : all) {
        commands += fmt::format("        '{}:{}'\n", words.command, quoted(words.description));
        std::string options;
        for (const auto& [name, description] : words.options) {
            const char* argument = name == "--fleet" ? ":file:_files" : "";
            options += fmt::format(" '{}[{}]{}'", name, quoted(description), argument);
        }
        if (words.command == "completion") options += " '1:shell:(bash zsh fish)'";
        cases += fmt::format("        {}) _arguments{} ;;\n", words.command, options);
    }
    return fmt::format(
        R"(#compdef bramble
_bramble() {{
    local -a commands=(
{}    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words; (( CURRENT-- ))
    case $command in
{}    esac
}}
compdef _bramble bramble
)",
        commands,
        cases
    );
}

std::string for_fish(const std::vector<Words>& all) {
    std::string out = "complete -c bramble -f\n";
    for (const Words& words : all) {
        out += fmt::format(
            "complete -c bramble -n __fish_use_subcommand -a {} -d '{}'\n",
            words.command,
            quoted(words.description)
        );
        for (const auto& [name, description] : words.options) {
            out += fmt::format(
                "complete -c bramble -n '__fish_seen_subcommand_from {}' -l {} -d '{}'{}\n",
                words.command,
                name.substr(2),
                quoted(description),
                name == "--fleet" ? " -rF" : ""
            );
        }
    }
    out += "complete -c bramble -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n";
    return out;
}

}  // namespace

void add_completion(CLI::App& app, Invocation& /*invocation*/) {
    CLI::App* command = app.add_subcommand("completion", "Print a completion script for a shell");
    command->footer(
        "Examples:\n"
        "  bramble completion bash > /usr/share/bash-completion/completions/bramble\n"
        "  bramble completion zsh > /usr/share/zsh/vendor-completions/_bramble\n"
        "  bramble completion fish > /usr/share/fish/vendor_completions.d/bramble.fish"
    );
    auto shell = std::make_shared<std::string>();
    command->add_option("shell", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->callback([&app, shell] {
        const std::vector<Words> all = collect(app);
        print_result(
            *shell == "bash"  ? for_bash(all)
            : *shell == "zsh" ? for_zsh(all)
                              : for_fish(all)
        );
    });
}

}  // namespace bramble::program
