#include "cli/completion.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

struct Names {
  std::vector<std::string> all;        // the long ones
  std::vector<std::string> with_value; // those that take one, of both lengths
  std::vector<std::string> with_file;  // of these, whose value is the name of a file
};

// The options of one command, beside what is there.
void options_of(const CLI::App &command, Names &names) {
  for (const CLI::Option *const o : command.get_options()) {
    const std::string value = value_name(*o);
    const auto add = [&](const std::string &name) {
      if (!value.empty()) names.with_value.push_back(name);
      if (value == "FILE" || value == "DIRECTORY") names.with_file.push_back(name);
    };
    for (const std::string &name : o->get_lnames()) {
      names.all.push_back("--" + name);
      add("--" + name);
    }
    for (const std::string &name : o->get_snames()) add("-" + name);
  }
}

std::string joined(std::vector<std::string> words, const char *between) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::string text;
  for (const std::string &w : words) text += (text.empty() ? "" : between) + w;
  return text;
}

} // namespace

std::string completion_script(const CLI::App &app, const std::string &shell) {
  std::vector<std::string> commands;
  Names names;
  options_of(app, names);
  const std::vector<std::string> shared = names.all;
  std::string cases;
  for (const CLI::App *const command : app.get_subcommands({})) {
    commands.push_back(command->get_name());
    names.all = shared;
    options_of(*command, names);
    std::string words = joined(names.all, " ");
    for (const CLI::App *const inner : command->get_subcommands({})) words += " " + inner->get_name();
    cases += "    " + command->get_name() + ") words=\"" + words +
             (command->get_name() == "completion" ? " bash zsh" : "") + "\" ;;\n";
  }
  const std::string bash = R"(# bash completion for pqlctl; made by: pqlctl completion bash
_pqlctl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= words= i
  COMPREPLY=()
  case $before in
    )" + joined(names.with_file, "|") +
                           R"()
      compopt -o default 2>/dev/null
      return ;;
    )" + joined(names.with_value, "|") +
                           R"()
      return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      )" + joined(names.with_value, "|") +
                           R"()
        ((i++)) ;; # its value is no command
      )" + joined(commands, "|") +
                           R"()
        command=${COMP_WORDS[i]}
        break ;;
    esac
  done
  case $command in
    '') words=")" + joined(commands, " ") +
                           " " + joined(shared, " ") + "\" ;;\n" + cases + R"(  esac
  if [[ $word == -* || -z $command || $command == completion ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  else
    compopt -o default 2>/dev/null
  fi
}
complete -F _pqlctl pqlctl
)";
  if (shell == "bash") return bash;
  return "#compdef pqlctl\n# zsh completion for pqlctl; made by: pqlctl completion zsh\nautoload -U +X bashcompinit && "
         "bashcompinit\n" +
         bash;
}

void add_completion(CLI::App &app, Session &session) {
  CLI::App *const command =
      app.add_subcommand("completion", "Print a script by which a shell completes pqlctl's options");
  const auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&app, &session, shell] { session.out.line(completion_script(app, *shell)); });
}

} // namespace pql::cli
