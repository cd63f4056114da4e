#include "cli/completion.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace pql::cli {
namespace {

// Options of one command: "--name" for each, in those that take a value with it.
void options_of(const CLI::App &command, std::vector<std::string> &all, std::vector<std::string> &with_value) {
  for (const CLI::Option *const o : command.get_options()) {
    for (const std::string &name : o->get_lnames()) {
      all.push_back("--" + name);
      if (o->get_items_expected_max() > 0) with_value.push_back("--" + name);
    }
    for (const std::string &name : o->get_snames())
      if (o->get_items_expected_max() > 0) with_value.push_back("-" + name);
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
  std::vector<std::string> commands, shared, with_value;
  options_of(app, shared, with_value);
  std::string cases;
  for (const CLI::App *const command : app.get_subcommands({})) {
    commands.push_back(command->get_name());
    std::vector<std::string> own = shared;
    options_of(*command, own, with_value);
    std::string words = joined(own, " ");
    for (const CLI::App *const inner : command->get_subcommands({})) words += " " + inner->get_name();
    cases += "    " + command->get_name() + ") words=\"" + words +
             (command->get_name() == "completion" ? " bash zsh" : "") + "\" ;;\n";
  }
  const std::string bash = R"(# bash completion for pqlctl; made by: pqlctl completion bash
_pqlctl() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= words= i
  COMPREPLY=()
  case $before in
    )" + joined(with_value, "|") +
                           R"()
      compopt -o default 2>/dev/null
      return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
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
