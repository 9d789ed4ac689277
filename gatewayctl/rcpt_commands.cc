#include "gatewayctl/rcpt_commands.h"

#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/rcpt_look.h"
#include "common/admin/text_json.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/mail/address.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::size_t kShown = 1000;        // lines of a table at a time
constexpr std::size_t kImportBatch = 1000;  // addresses a question

std::int64_t now_ms() { return base::to_millis(base::wall_now()); }

void run_list(Invocation& invocation, const RecipientFilter& wanted) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    Table table = recipient_table();
    std::size_t count = 0;
    const auto show = [&](const RecipientView& view) {
      if (invocation.json) {
        std::fputs(recipient_json(view).c_str(), stdout);
        return;
      }
      add_to(table, view, now_ms());
      if (++count % kShown == 0) std::fputs(table.take().c_str(), stdout);
    };
    each_configured(gateway.config(), wanted, show);
    auto done = each_stored(gateway, wanted, show);
    std::fputs(table.take().c_str(), stdout);
    return done;
  });
}

void run_export(Invocation& invocation, RecipientFilter wanted) {
  if (wanted.source.empty()) wanted.source = "learnt";
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    return each_stored(gateway, wanted, [](const RecipientView& view) { fmt::print("{}\n", view.address); });
  });
}

void run_check(Invocation& invocation, const std::vector<std::string>& addresses) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    for (const auto& address : addresses) {
      const auto found = check_recipient(gateway, address);
      if (!found) return std::unexpected(found.error());
      const std::string text = invocation.json ? check_json(found->view, found->standing)
                                               : check_text(found->view, found->standing, now_ms());
      std::fputs(text.c_str(), stdout);
      if (found->standing != "known") invocation.exit_code = base::exit_code(base::Kind::kNotFound);
    }
    return {};
  });
}

base::Result<std::uint64_t> change(const Gateway& gateway, const std::string& command,
                                   const std::vector<std::string>& words) {
  const auto answer = gateway.ask("prober", "rcpt." + command, words, base::Seconds{120});
  if (!answer) return std::unexpected(answer.error());
  const json told = json::parse(*answer, nullptr, false);
  return told.is_object() ? told.value("changed", std::uint64_t{0}) : 0;
}

void say_changed(const Invocation& invocation, std::uint64_t changed, const char* done) {
  if (invocation.json) {
    std::fputs(dump_line({{"changed", changed}}).c_str(), stdout);
  } else {
    fmt::print("{} {}\n", count_text(changed, "recipient"), done);
  }
}

void run_change(Invocation& invocation, const std::string& command, const std::vector<std::string>& words,
                const char* done) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto changed = change(gateway, command, words);
    if (!changed) return std::unexpected(changed.error());
    say_changed(invocation, *changed, done);
    return {};
  });
}

base::Result<std::vector<std::string>> addresses_in(const std::string& file) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    auto read = base::read_file(file, 1U << 30);
    if (!read) return base::fail(base::Kind::kData, read.error().text);
    text = std::move(*read);
  }
  std::vector<std::string> out;
  std::size_t number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    line = base::trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (!mail::parse_address(line)) {
      return base::fail(base::Kind::kData,
                        fmt::format("{}:{}: '{}' is not an address; nothing was imported", file, number, line));
    }
    out.emplace_back(line);
  }
  return out;
}

void run_import(Invocation& invocation, const std::string& file) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto addresses = addresses_in(file);
    if (!addresses) return std::unexpected(addresses.error());
    std::uint64_t changed = 0;
    for (std::size_t i = 0; i < addresses->size(); i += kImportBatch) {
      const auto begin = addresses->begin() + static_cast<std::ptrdiff_t>(i);
      const auto count = std::min(kImportBatch, addresses->size() - i);
      const auto batch = change(gateway, "import", {begin, begin + static_cast<std::ptrdiff_t>(count)});
      if (!batch) return std::unexpected(batch.error());
      changed += *batch;
    }
    say_changed(invocation, changed, "imported");
    return {};
  });
}

struct Flush {
  std::string domain;
  bool all = false, yes = false;
};

void run_flush(Invocation& invocation, const Flush& flush) {
  const bool chosen = flush.all != !flush.domain.empty();
  if (!chosen) {
    invocation.exit_code = report({base::Kind::kUsage, "which recipients? Give a domain, or --all"});
  } else if (flush.all && !flush.yes) {
    invocation.exit_code = report({base::Kind::kUsage, "this forgets every learnt recipient: say --all --yes"});
  } else {
    run_change(invocation, "flush", flush.all ? std::vector<std::string>{} : std::vector{flush.domain}, "forgotten");
  }
}

void add_readers(CLI::App& rcpt, Invocation& invocation) {
  auto wanted = std::make_shared<RecipientFilter>();
  const auto add_wanted = [&](CLI::App& command) {
    command.add_option("--domain", wanted->domain, "only this domain");
    command.add_option("--source", wanted->source, "learnt, local or denied")
        ->check(CLI::IsMember({"learnt", "local", "denied"}));
  };
  auto* list = rcpt.add_subcommand("list", "the recipients we know");
  add_wanted(*list);
  list->callback([&invocation, wanted] { run_list(invocation, *wanted); });
  auto* to_file = rcpt.add_subcommand("export", "addresses, one a line; learnt ones unless --source says otherwise");
  add_wanted(*to_file);
  to_file->callback([&invocation, wanted] { run_export(invocation, *wanted); });
  auto addresses = std::make_shared<std::vector<std::string>>();
  auto* one = rcpt.add_subcommand("check", "is an address known? Exit 67 if one is not");
  one->add_option("ADDRESS", *addresses, "addresses")->required();
  one->callback([&invocation, addresses] { run_check(invocation, *addresses); });
}

void add_changes(CLI::App& rcpt, Invocation& invocation) {
  struct Deed {
    const char *command, *help, *done;
  };
  static constexpr Deed kDeeds[] = {{"add", "make addresses known until they are removed", "added"},
                                    {"deny", "refuse addresses with 550, in every state", "denied"},
                                    {"remove", "forget what is known of addresses", "removed"}};
  for (const Deed& deed : kDeeds) {
    auto addresses = std::make_shared<std::vector<std::string>>();
    auto* command = rcpt.add_subcommand(deed.command, deed.help);
    command->add_option("ADDRESS", *addresses, "addresses")->required();
    command->callback([&invocation, &deed, addresses] { run_change(invocation, deed.command, *addresses, deed.done); });
  }
  auto file = std::make_shared<std::string>();
  auto* import = rcpt.add_subcommand("import", "add the addresses of a file, one a line; - is standard input");
  import->add_option("FILE", *file, "the file")->required();
  import->callback([&invocation, file] { run_import(invocation, *file); });
  auto flush = std::make_shared<Flush>();
  auto* command = rcpt.add_subcommand("flush", "forget what was learnt of a domain, or of all");
  command->add_option("DOMAIN", flush->domain, "the domain");
  command->add_flag("--all", flush->all, "every domain");
  command->add_flag("--yes", flush->yes, "yes, I mean it");
  command->callback([&invocation, flush] { run_flush(invocation, *flush); });
}

}  // namespace

void add_rcpt_commands(CLI::App& app, Invocation& invocation) {
  auto* rcpt = app.add_subcommand("rcpt", "recipients: list, check, add, deny, remove, import, export, flush")
                   ->require_subcommand(1);
  add_readers(*rcpt, invocation);
  add_changes(*rcpt, invocation);
}

}  // namespace holdfast::gatewayctl
