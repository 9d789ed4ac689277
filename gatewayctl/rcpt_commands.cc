#include "gatewayctl/rcpt_commands.h"

#include <cstdio>
#include <iostream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "common/admin/dest_look.h"
#include "common/admin/rcpt_look.h"
#include "common/admin/refused_list.h"
#include "common/admin/text_json.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/mail/address.h"
#include "gatewayctl/recipient_files.h"
#include "gatewayctl/words.h"

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

struct Import {
  std::string file, format = "list", column;
  bool dry_run = false;
};

base::Result<std::string> text_of(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  auto read = base::read_file(file, 1U << 30);
  if (!read) return base::fail(base::Kind::kData, read.error().text);
  return read;
}

base::Result<RecipientFile> recipients_in(const Import& import) {
  const auto text = text_of(import.file);
  if (!text) return std::unexpected(text.error());
  const auto format = import.format == "csv"       ? RecipientFormat::kCsv
                      : import.format == "postfix" ? RecipientFormat::kPostfix
                                                   : RecipientFormat::kList;
  auto out = parse_recipients(*text, format, import.column);
  if (out) return out;
  return base::fail(out.error().kind, fmt::format("{}: {}; nothing was imported", import.file, out.error().text));
}

// Directories and tables of other systems hold more than ours; a list is the admin's own, and prober says what is wrong.
void leave_out_others(const config::Config& config, RecipientFile& file) {
  file.passed_over += std::erase_if(file.addresses, [&](const std::string& text) {
    const auto address = mail::parse_address(text, true);
    return !address || config.find_domain(address->domain) == nullptr;
  });
}

base::Result<std::uint64_t> import_all(const Gateway& gateway, const std::vector<std::string>& addresses) {
  std::uint64_t changed = 0;
  for (std::size_t i = 0; i < addresses.size(); i += kImportBatch) {
    const auto begin = addresses.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = std::min(kImportBatch, addresses.size() - i);
    const auto batch = change(gateway, "import", {begin, begin + static_cast<std::ptrdiff_t>(count)});
    if (!batch) return batch;
    changed += *batch;
  }
  return changed;
}

void run_import(Invocation& invocation, const Import& import) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    auto file = recipients_in(import);
    if (!file) return std::unexpected(file.error());
    if (import.format != "list") leave_out_others(gateway.config(), *file);
    const auto changed = import.dry_run ? base::Result<std::uint64_t>(file->addresses.size()) : import_all(gateway, file->addresses);
    if (!changed) return std::unexpected(changed.error());
    say_changed(invocation, *changed, import.dry_run ? "would be imported" : "imported");
    if (file->passed_over > 0 && !invocation.json) {
      fmt::print("{} passed over: no addresses, whole domains, or not of our domains\n", count_text(file->passed_over, "value"));
    }
    return {};
  });
}

// What users ask first: whose mail survives if it happens now?
void run_coverage(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    for (const auto& [name, domain] : gateway.config().domains) {
      const auto view = view_of(gateway, domain);
      std::fputs((invocation.json ? domain_json(view) : coverage_text(view)).c_str(), stdout);
    }
    return {};
  });
}

void run_refused(Invocation& invocation, std::size_t most) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto found = refused_while_down(gateway.config().paths.log);
    if (!found) return std::unexpected(found.error());
    if (!invocation.json) {
      const auto text = refused_text(*found, most, now_ms());
      std::fputs(text.empty() ? "The logs tell of none.\n" : text.c_str(), stdout);
      return {};
    }
    for (std::size_t i = 0; i < std::min(most, found->size()); ++i) std::fputs(refused_json((*found)[i]).c_str(), stdout);
    return {};
  });
}

struct Flush {
  std::string domain;
  bool all = false, yes = false, dry_run = false;
};

void count_learnt(Invocation& invocation, const std::string& domain) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    std::uint64_t count = 0;
    auto done = each_stored(gateway, {.domain = domain, .source = "learnt"}, [&](const RecipientView&) { ++count; });
    if (done) say_changed(invocation, count, "would be forgotten");
    return done;
  });
}

void run_flush(Invocation& invocation, const Flush& flush) {
  const bool chosen = flush.all != !flush.domain.empty();
  if (!chosen) {
    invocation.exit_code = report({base::Kind::kUsage, "which recipients? Give a domain, or --all"});
  } else if (flush.dry_run) {
    count_learnt(invocation, flush.domain);
  } else if (flush.all && !flush.yes) {
    invocation.exit_code = report({base::Kind::kUsage, "this forgets every learnt recipient: say --all --yes"});
  } else {
    run_change(invocation, "flush", flush.all ? std::vector<std::string>{} : std::vector{flush.domain}, "forgotten");
  }
}

void add_readers(CLI::App& rcpt, Invocation& invocation) {
  auto wanted = std::make_shared<RecipientFilter>();
  const auto add_wanted = [&](CLI::App& command) {
    command.add_option("--domain", wanted->domain, "only this domain")->check(something());
    command.add_option("--source", wanted->source, "learnt, local or denied")
        ->check(CLI::IsMember({"learnt", "local", "denied"}));
  };
  auto* list = rcpt.add_subcommand("list", "the recipients we know");
  add_wanted(*list);
  list->callback([&invocation, wanted] { run_list(invocation, *wanted); });
  auto* to_file = rcpt.add_subcommand("export", "addresses, one a line; learnt ones unless --source says otherwise");
  add_wanted(*to_file);
  to_file->callback([&invocation, wanted] { run_export(invocation, *wanted); });
  rcpt.add_subcommand("coverage", "if a domain's server went down now, how much of its mail would be kept?")->callback([&invocation] {
    run_coverage(invocation);
  });
  auto most = std::make_shared<std::size_t>(100);
  auto* refused = rcpt.add_subcommand("refused", "who was asked for while a destination was down and nobody knew them, by the logs; the latest first");
  refused->add_option("--limit", *most, "at most so many")->check(counting())->capture_default_str();
  refused->callback([&invocation, most] { run_refused(invocation, *most); });
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
  auto import = std::make_shared<Import>();
  auto* from_file = rcpt.add_subcommand("import", "add the addresses of a file; - is standard input");
  from_file->add_option("FILE", import->file, "the file")->required();
  from_file->add_option("--format", import->format, "list (an address a line), csv, or postfix (a table for relay_recipient_maps)")
      ->check(CLI::IsMember({"list", "csv", "postfix"}))
      ->capture_default_str();
  from_file->add_option("--column", import->column, "of a CSV file, by its head or its number; else the first that speaks of mail");
  from_file->add_flag("--dry-run", import->dry_run, "only say how many there are");
  from_file->callback([&invocation, import] { run_import(invocation, *import); });
  auto flush = std::make_shared<Flush>();
  auto* command = rcpt.add_subcommand("flush", "forget what was learnt of a domain, or of all");
  command->add_option("DOMAIN", flush->domain, "the domain");
  command->add_flag("--all", flush->all, "every domain");
  command->add_flag("--dry-run", flush->dry_run, "only say how many it would be");
  command->add_flag("--yes", flush->yes, "yes, I mean it");
  command->callback([&invocation, flush] { run_flush(invocation, *flush); });
}

}  // namespace

void add_rcpt_commands(CLI::App& app, Invocation& invocation) {
  auto* rcpt = app.add_subcommand("rcpt", "recipients: list, check, coverage, refused, add, deny, remove, import, export, flush")
                   ->require_subcommand(1);
  add_readers(*rcpt, invocation);
  add_changes(*rcpt, invocation);
}

}  // namespace holdfast::gatewayctl
