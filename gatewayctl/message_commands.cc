#include "gatewayctl/message_commands.h"

#include <cstdio>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "common/admin/content_reader.h"
#include "common/admin/queue_walk.h"
#include "common/base/file.h"

namespace holdfast::gatewayctl {
namespace {

void run_show(Invocation& invocation, const std::vector<std::string>& ids) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const Moment moment = look(gateway);
    for (const auto& id : ids) {
      const auto item = find_message(gateway, id);
      if (!item) return std::unexpected(item.error());
      const auto told = look_into(gateway, *item);
      const auto* record = told ? &*told : nullptr;
      const std::string text = invocation.json ? message_json(*item, moment, record) : message_text(*item, moment, record);
      std::fputs(text.c_str(), stdout);
      if (!invocation.json && &id != &ids.back()) std::puts("");
    }
    return {};
  });
}

base::Status print_content(const storage::Record& record) {
  if (auto sound = record.verify(); !sound) return sound;
  ContentReader reader(::isatty(STDOUT_FILENO) != 0);
  std::vector<char> piece(64 << 10);
  for (std::uint64_t offset = 0;;) {
    const auto n = record.read_content(offset, piece);
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return {};
    offset += *n;
    if (auto written = base::write_all(STDOUT_FILENO, reader.take({piece.data(), *n})); !written) return written;
  }
}

void run_cat(Invocation& invocation, const std::string& id) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto item = find_message(gateway, id);
    if (!item) return std::unexpected(item.error());
    const auto record = open_record(gateway, *item);
    if (!record) return std::unexpected(record.error());
    return print_content(*record);
  });
}

}  // namespace

void add_message_commands(CLI::App& queue, Invocation& invocation) {
  auto* show = queue.add_subcommand("show", "all that is known of messages");
  auto ids = std::make_shared<std::vector<std::string>>();
  show->add_option("ID", *ids, "queue ids")->required();
  show->callback([&invocation, ids] { run_show(invocation, *ids); });

  auto* cat = queue.add_subcommand("cat", "a message's headers and body, byte for byte unless on a terminal");
  auto id = std::make_shared<std::string>();
  cat->add_option("ID", *id, "queue id")->required();
  cat->callback([&invocation, id] { run_cat(invocation, *id); });
}

}  // namespace holdfast::gatewayctl
