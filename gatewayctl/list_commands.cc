#include "gatewayctl/list_commands.h"

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/text_json.h"
#include "common/config/compile_lists.h"
#include "common/config/load.h"

namespace holdfast::gatewayctl {
namespace {

using policy::ListKind;

// What a word may stand for: an address is a client or a name in HELO, a name either, or a domain of senders and recipients.
std::vector<policy::Match> matches(const policy::Lists& lists, const std::string& word) {
  std::vector<policy::Match> out;
  const auto add = [&](std::vector<policy::Match> found) { out.insert(out.end(), found.begin(), found.end()); };
  const auto address = base::IpAddress::parse(word);
  const bool mailbox = word == "<>" || word.find('@') != word.npos;
  if (!mailbox) {
    add(lists.client_matches(address, address ? "" : word));
    add(lists.matches(ListKind::kHelo, word));
  } else {
    add(lists.matches(ListKind::kSender, word == "<>" ? "" : word));
    if (word != "<>") add(lists.matches(ListKind::kRecipient, word));
  }
  return out;
}

void show(const Invocation& invocation, const std::string& word, const std::vector<policy::Match>& found) {
  for (const auto& match : found) {
    const char* const verdict = match.allow ? "allow" : "block";
    if (invocation.json) {
      std::fputs(dump_line({{"subject", word}, {"list", to_text(match.kind)}, {"verdict", verdict}, {"entry", match.entry}, {"place", match.place}}).c_str(), stdout);
    } else {
      fmt::print("{}: {} as {}: {} ({})\n", word, match.allow ? "allowed" : "blocked", to_text(match.kind), match.entry, match.place);
    }
  }
  if (found.empty() && !invocation.json) fmt::print("{}: in no list\n", word);
}

// The files as they lie there, which a reload would put into force.
void run_check(Invocation& invocation, const std::vector<std::string>& words) {
  const auto config = config::load(invocation.config_file);
  const auto lists = config ? config::compile_lists(config->lists) : std::unexpected(config.error());
  if (!lists) {
    invocation.exit_code = report(lists.error());
    return;
  }
  for (const auto& word : words) {
    const auto found = matches(*lists, word);
    if (found.empty()) invocation.exit_code = base::exit_code(base::Kind::kNotFound);
    show(invocation, word, found);
  }
}

}  // namespace

void add_list_commands(CLI::App& app, Invocation& invocation) {
  auto* list = app.add_subcommand("list", "allow and block lists: check");
  list->require_subcommand(1);
  const auto words = std::make_shared<std::vector<std::string>>();
  auto* check = list->add_subcommand("check", "which entries an address, a client or a HELO name is found by, and where they stand; exit 67 if none");
  check->add_option("SUBJECT", *words, "a mail address, <>, an IP address, or a name")->required();
  check->callback([&invocation, words] { run_check(invocation, *words); });
}

}  // namespace holdfast::gatewayctl
