#include "gatewayctl/manual.h"

#include <cctype>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "gatewayctl/pages.h"

namespace holdfast::gatewayctl {
namespace {

constexpr const char* kTitle = "# gatewayctl\n\nMade by `make doc` from the program itself. ";

constexpr const char* kHead =
    "Every listing takes `--json` (one object a line), and `--config FILE`\n"
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

std::string section(const CLI::App& app, const std::string& name, std::string_view heading) {
  std::string rows;
  for (const CLI::Option* option : app.get_options(is_shown)) rows += option_row(*option);
  // Option groups are subcommands without a name.
  for (const CLI::App* group : app.get_subcommands({})) {
    if (!group->get_name().empty()) continue;
    for (const CLI::Option* option : group->get_options(is_shown)) rows += option_row(*option);
  }
  std::string out = fmt::format("\n{} {}\n\n{}\n", heading, name, sentence(app.get_description()));
  if (!rows.empty()) out += "\n| | |\n|---|---|\n" + rows;
  if (!app.get_footer().empty()) out += "\n" + app.get_footer() + "\n";
  return out;
}

void walk(const CLI::App& app, const std::string& before, std::string_view heading, std::string& out) {
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name().empty() || command->get_group().empty()) continue;
    const std::string name = before.empty() ? command->get_name() : before + " " + command->get_name();
    const auto below = command->get_subcommands([](const CLI::App* a) { return !a->get_name().empty(); });
    if (below.empty()) {
      out += section(*command, name, heading);
    } else {
      walk(*command, name, heading, out);
    }
  }
}

}  // namespace

std::string manual(const CLI::App& app) {
  std::string out = std::string(kTitle) + kHead;
  walk(app, "", "##", out);
  return out;
}

std::string manual_body(const CLI::App& app) {
  std::string out = std::string(kHead) + "\n## Commands\n";
  walk(app, "", "###", out);
  return out;
}

void add_manual_command(CLI::App& app, Invocation& invocation) {
  struct Words {
    std::string page;
    bool list = false;
  };
  auto words = std::make_shared<Words>();
  auto* command = app.add_subcommand("manual", "this reference; or one of Holdfast's manual pages, as man reads it");
  command->add_option("PAGE", words->page, "as in gatewayctl.8");
  command->add_flag("--pages", words->list, "only the pages' names");
  command->callback([&app, &invocation, words] {
    if (words->list) return std::puts(fmt::format("{}", fmt::join(page_names(), "\n")).c_str()), void();
    if (words->page.empty()) return std::fputs(manual(app).c_str(), stdout), void();
    const auto page = page_text(app, words->page);
    if (page) return std::fputs(page->c_str(), stdout), void();
    invocation.exit_code = report(page.error());
  });
}

}  // namespace holdfast::gatewayctl
