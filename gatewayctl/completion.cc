#include "gatewayctl/completion.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace holdfast::gatewayctl {
namespace {

struct Words {
  std::vector<std::string> commands;
  std::vector<std::string> flags;    // and options
  std::vector<std::string> options;  // those of the flags that a value follows
};

void add_options(const CLI::App& app, Words& out) {
  for (const CLI::Option* option : app.get_options({})) {
    if (option->get_positional() || option->get_group().empty()) continue;
    for (const auto& name : option->get_snames()) out.flags.push_back("-" + name);
    for (const auto& name : option->get_lnames()) out.flags.push_back("--" + name);
    if (option->get_items_expected_min() == 0) continue;
    for (const auto& name : option->get_snames()) out.options.push_back("-" + name);
    for (const auto& name : option->get_lnames()) out.options.push_back("--" + name);
  }
}

Words words_of(const CLI::App& app) {
  Words out;
  add_options(app, out);
  for (const CLI::App* below : app.get_subcommands({})) {
    if (below->get_name().empty()) {  // an option group
      add_options(*below, out);
    } else if (!below->get_group().empty()) {
      out.commands.push_back(below->get_name());
    }
  }
  return out;
}

// A branch of the script's case for each command, by its words: "queue list".
void walk(const CLI::App& app, const std::string& path, std::string& out) {
  const Words words = words_of(app);
  out += fmt::format("    '{}') commands='{}' flags='{}' options=' {} ' ;;\n", path, fmt::join(words.commands, " "),
                     fmt::join(words.flags, " "), fmt::join(words.options, " "));
  for (const CLI::App* below : app.get_subcommands({})) {
    if (below->get_name().empty() || below->get_group().empty()) continue;
    walk(*below, path.empty() ? below->get_name() : path + " " + below->get_name(), out);
  }
}

constexpr std::string_view kHead = R"(# bash completion for gatewayctl, made by `gatewayctl completion bash`.

# What may stand behind the words in $1: sets commands, flags and options.
_gatewayctl_words() {
  commands='' flags='' options=''
  case "$1" in
)";

constexpr std::string_view kTail = R"(    *) return 1 ;;
  esac
}

_gatewayctl() {
  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
  local path='' word value='' at commands flags options common
  _gatewayctl_words ''
  common="$flags"
  local common_options="$options"
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="${COMP_WORDS[at]}"
    if [[ -n $value ]]; then value=''; continue; fi
    case "$word" in
      -*) [[ "$options$common_options" == *" $word "* ]] && value=yes ;;
      *) if [[ " $commands " == *" $word "* ]]; then path="${path:+$path }$word"; _gatewayctl_words "$path"; fi ;;
    esac
  done
  if [[ -n $value ]]; then
    case "$before" in
      --config | --file | --folder) COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null ;;
      *) COMPREPLY=() ;;
    esac
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$flags $common" -- "$current"))
  elif [[ -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _gatewayctl gatewayctl
)";

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string out(kHead);
  walk(app, "", out);
  return out + std::string(kTail);
}

void add_completion_command(CLI::App& app, Invocation& invocation) {
  auto shell = std::make_shared<std::string>();
  auto* command = app.add_subcommand("completion", "completion of these commands, for the shell: source <(gatewayctl completion bash)");
  command->add_option("SHELL", *shell, "bash")->required();
  command->callback([&app, &invocation, shell] {
    if (*shell == "bash") return std::fputs(bash_completion(app).c_str(), stdout), void();
    invocation.exit_code = report({base::Kind::kUsage, fmt::format("no completion for '{}': only for bash", *shell)});
  });
}

}  // namespace holdfast::gatewayctl
