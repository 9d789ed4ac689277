#include "gatewayctl/filter_commands.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/filter_look.h"
#include "common/admin/filter_trial.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::size_t kMostFile = 64 << 20;

void list_filters(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto filtering = look_at_filters(gateway);
    const auto now_ms = base::to_millis(base::wall_now());
    std::fputs((invocation.json ? filtering_lines(filtering) : filters_text(filtering, now_ms)).c_str(), stdout);
    return {};
  });
}

struct Test {
  std::string name, file, sender, recipient;
};

void run_test(Invocation& invocation, const Test& test) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    FilterQuestion question{.filter = test.name, .sender = test.sender, .recipient = test.recipient, .content = {}};
    if (!test.file.empty()) {
      auto text = base::read_file(test.file == "-" ? "/dev/stdin" : test.file, kMostFile);
      if (!text) return std::unexpected(text.error());
      question.content = std::move(*text);
    }
    const auto answers = ask_filters(gateway.config(), question);
    if (!answers) return std::unexpected(answers.error());
    for (const auto& answer : *answers) std::fputs((invocation.json ? trial_json(answer) : trial_text(answer)).c_str(), stdout);
    invocation.exit_code = trial_exit(*answers);
    return {};
  });
}

struct Bypass {
  std::string word, length, destination, domain;
};

void run_bypass(Invocation& invocation, const Bypass& bypass) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto words = bypass_words(gateway.config(), bypass.word, bypass.length, bypass.destination, bypass.domain);
    if (!words) return std::unexpected(words.error());
    const auto answer = gateway.ask("prober", "filter.bypass", *words);
    if (!answer) return std::unexpected(answer.error());
    if (invocation.json) {
      std::puts(answer->c_str());
      return {};
    }
    const auto warnings = filter_warnings(look_at_filters(gateway), filtered_domains(gateway.config()));
    for (const auto& warning : warnings) std::puts(base::printable(warning).c_str());
    if (warnings.empty()) std::puts("filters are asked, as configured");
    return {};
  });
}

void add_test(CLI::App& filter, Invocation& invocation) {
  auto test = std::make_shared<Test>();
  auto* command = filter.add_subcommand("test", "ask filters about a message that goes to nobody, and say what they answer; exit 69 if one fails, "
                                                "65 if one does not let it pass");
  command->add_option("NAME", test->name, "only this one; all, one after the other, unless given");
  command->add_option("FILE", test->file, "a message (- for standard input); a harmless one unless given");
  command->add_option("--sender", test->sender, "its sender; postmaster of this host unless given");
  command->add_option("--recipient", test->recipient, "its recipient; postmaster of a domain that the filter is asked after unless given");
  command->callback([&invocation, test] { run_test(invocation, *test); });
}

}  // namespace

void add_filter_commands(CLI::App& app, Invocation& invocation) {
  auto* filter = app.add_subcommand("filter", "filters: list, test, bypass")->require_subcommand(1);
  filter->add_subcommand("list", "which there are, which fail, and whose mail they are not asked about")->callback([&invocation] { list_filters(invocation); });
  add_test(*filter, invocation);
  auto bypass = std::make_shared<Bypass>();
  auto* command = filter->add_subcommand(
      "bypass", "on: take mail without asking filters, lists and greylisting, marked as in an outage; off: ask them even in an outage; "
                "auto: as configured");
  command->add_option("WORD", bypass->word, "on, off or auto")->required()->check(CLI::IsMember({"on", "off", "auto"}));
  command->add_option("--for", bypass->length, "auto again after this long: 30m, 2h, 1d; without it until auto is said")->check(something());
  auto* destination = command->add_option("--dest", bypass->destination, "only domains of this destination")->check(something());
  command->add_option("--domain", bypass->domain, "only this domain")->check(something())->excludes(destination);
  command->callback([&invocation, bypass] { run_bypass(invocation, *bypass); });
}

}  // namespace holdfast::gatewayctl
