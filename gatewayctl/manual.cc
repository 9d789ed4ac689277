#include "gatewayctl/manual.h"

#include <cctype>
#include <cstdio>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

namespace holdfast::gatewayctl {
namespace {

constexpr const char* kHead =
    "# gatewayctl\n\n"
    "Made by `make doc` from the program itself. Every listing takes `--json` (one object a line), and `--config "
    "FILE`\n"
    "names the configuration. What destroys takes `--dry-run`, asks for `--yes` where no ids are named, and says how "
    "many.\n\n"
    "Exit codes (sysexits.h): 0 done; 64 the words are wrong; 65 the data is wrong; 67 no such message, recipient or\n"
    "destination; 69 a daemon does not answer; 70 an internal error; 75 not now, try again; 77 no permission; 78 the\n"
    "configuration is wrong. Of several messages those that can be changed are, and the code speaks of the others.\n";

// A column of a Markdown table must not end early.
std::string cell(std::string text) {
  for (auto at = text.find('|'); at != text.npos; at = text.find('|', at + 2)) text.replace(at, 1, "\\|");
  return text;
}

std::string sentence(std::string text) {
  if (text.empty()) return text;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text.find_last_of(".?") == text.size() - 1 ? text : text + ".";
}

std::string option_row(const CLI::Option& option) {
  std::string name = option.get_name(false, true);
  if (option.get_positional()) {
    name = option.get_name(true);
  } else if (option.get_items_expected_min() > 0) {
    name += " VALUE";
  }
  std::string text = option.get_description();
  if (option.get_required()) text += " (needed)";
  if (!option.get_default_str().empty()) text += fmt::format(" (default: {})", option.get_default_str());
  return fmt::format("| `{}` | {} |\n", cell(name), cell(text));
}

bool is_shown(const CLI::Option* option) {
  return option->get_name().find("--help") == std::string::npos && !option->get_group().empty();
}

std::string section(const CLI::App& app, const std::string& name) {
  std::string rows;
  for (const CLI::Option* option : app.get_options(is_shown)) rows += option_row(*option);
  // Option groups are subcommands without a name.
  for (const CLI::App* group : app.get_subcommands({})) {
    if (!group->get_name().empty()) continue;
    for (const CLI::Option* option : group->get_options(is_shown)) rows += option_row(*option);
  }
  std::string out = fmt::format("\n## {}\n\n{}\n", name, sentence(app.get_description()));
  if (!rows.empty()) out += "\n| | |\n|---|---|\n" + rows;
  if (!app.get_footer().empty()) out += "\n" + app.get_footer() + "\n";
  return out;
}

void walk(const CLI::App& app, const std::string& before, std::string& out) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name().empty() || command->get_group().empty()) continue;
    const std::string name = before.empty() ? command->get_name() : before + " " + command->get_name();
    const auto below = command->get_subcommands([](const CLI::App* a) { return !a->get_name().empty(); });
    if (below.empty()) {
      out += section(*command, name);
    } else {
      walk(*command, name, out);
    }
  }
}

}  // namespace

std::string manual(const CLI::App& app) {
  std::string out = kHead;
  walk(app, "", out);
  return out;
}

void add_manual_command(CLI::App& app) {
  app.add_subcommand("manual", "this page: docs/gatewayctl.md")->callback([&app] {
    std::fputs(manual(app).c_str(), stdout);
  });
}

}  // namespace holdfast::gatewayctl
