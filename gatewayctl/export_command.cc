#include "gatewayctl/export_command.h"

#include <cerrno>
#include <cstdio>
#include <memory>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "common/admin/content_reader.h"
#include "common/base/file.h"
#include "common/storage/segment_reader.h"
#include "gatewayctl/message_files.h"
#include "gatewayctl/queue_deeds.h"
#include "gatewayctl/words.h"
#include "common/admin/queue_walk.h"
#include "common/admin/text_json.h"

namespace holdfast::gatewayctl {
namespace {

// Mail is nobody's business but the admin's.
constexpr unsigned kFileMode = 0600, kFolderMode = 0700;

base::Result<storage::Record> open_sound(const Gateway& gateway, const storage::Listed& item) {
  auto record = open_record(gateway, item);
  if (!record) return record;
  if (auto sound = record->verify(); !sound) return std::unexpected(sound.error());
  return record;
}

base::Result<base::UniqueFd> create(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  if (!fd) return base::fail_errno(path, errno);
  return fd;
}

// The plain content; returns its size.
base::Result<std::uint64_t> write_eml(const storage::Record& record, const std::string& path) {
  const auto fd = create(path);
  if (!fd) return std::unexpected(fd.error());
  ContentReader reader(false);
  std::vector<char> piece(64 << 10);
  std::uint64_t bytes = 0;
  for (std::uint64_t offset = 0;;) {
    const auto n = record.read_content(offset, piece);
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return bytes;
    offset += *n;
    const auto plain = reader.take({piece.data(), *n});
    bytes += plain.size();
    if (auto done = base::write_all(fd->get(), plain); !done) return std::unexpected(done.error());
  }
}

base::Status write_json(const std::string& text, const std::string& path) {
  const auto fd = create(path);
  return fd ? base::write_all(fd->get(), text) : std::unexpected(fd.error());
}

// All files of the folder's file system: one call for thousands of files.
base::Status make_durable(const std::string& folder) {
  const base::UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::syncfs(fd.get()) != 0) return base::fail_errno(folder, errno);
  return {};
}

class Export {
 public:
  Export(Gateway& gateway, std::string folder, bool dry_run)
      : gateway_(gateway), folder_(std::move(folder)), dry_run_(dry_run) {}

  // A message that has left the queue meanwhile is passed over; one that is damaged is named, and the others go on.
  void take(const storage::Listed& item) {
    if (disk_) return;
    if (item.message.state == storage::MessageState::kDeferred) ++not_held_;
    if (dry_run_) return void(++written_);
    const auto record = open_sound(gateway_, item);
    if (!record) return miss(item, record.error());
    const std::string base = folder_ + "/" + item.id.text();
    const auto bytes = write_eml(*record, base + ".eml");
    if (!bytes) return void(disk_ = bytes.error());
    const auto text = description_of(item, record->envelope(), *bytes, gateway_.config().hostname);
    if (auto done = write_json(text, base + ".json"); !done) return void(disk_ = done.error());
    ++written_;
  }

  // Only what is durable is called exported: a queue may be deleted on our word.
  base::Status finish(bool as_json) {
    if (!disk_ && !dry_run_) {
      if (auto done = make_durable(folder_); !done) return done;
    }
    if (as_json) {
      std::fputs(
          dump_line({{dry_run_ ? "would_export" : "exported", written_}, {"failed", failed_}, {"not_held", not_held_}})
              .c_str(),
          stdout);
    } else {
      fmt::print("{}{} exported\n", dry_run_ ? "would be: " : "", count_text(written_, "message"));
      if (not_held_ > 0)
        fmt::print("{} of them not held: they are delivered from here, too, unless you hold or delete them\n",
                   not_held_);
    }
    if (disk_) return std::unexpected(*disk_);
    if (failed_ > 0)
      return base::fail(base::Kind::kData, fmt::format("{} not exported", count_text(failed_, "message")));
    return {};
  }

 private:
  void miss(const storage::Listed& item, const base::Error& error) {
    if (const auto there = find_message(gateway_, item.id.text());
        !there && there.error().kind == base::Kind::kNotFound)
      return;
    ++failed_;
    (void)report({error.kind, item.id.text() + ": " + error.text});
  }

  Gateway& gateway_;
  const std::string folder_;
  const bool dry_run_;
  std::uint64_t written_ = 0, failed_ = 0, not_held_ = 0;
  std::optional<base::Error> disk_;  // of the folder: nothing goes on
};

base::Status export_named(Gateway& gateway, const std::vector<std::string>& ids, Export& out) {
  for (const auto& id : ids) {
    const auto item = find_message(gateway, id);
    if (!item) return std::unexpected(item.error());
    out.take(*item);
  }
  return {};
}

void run_export(Invocation& invocation, const QueueWords& words, const std::string& folder) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    if (words.ids.empty() && !words.filtered() && !words.all) {
      return base::fail(base::Kind::kUsage, "which messages? Give ids, a filter, or --all");
    }
    if (!words.ids.empty() && (words.filtered() || words.all))
      return base::fail(base::Kind::kUsage, "give ids or a filter, not both");
    if (auto made = words.dry_run ? base::Status{} : base::make_folders(folder, kFolderMode); !made) return made;
    Export out(gateway, folder, words.dry_run);
    const auto done = words.ids.empty()
                          ? each_message(
                                gateway, words, ~0ULL, look(gateway), [&](const auto& item) { out.take(item); }, [] {})
                          : export_named(gateway, words.ids, out);
    const auto finished = out.finish(invocation.json);
    return done ? finished : done;
  });
}

}  // namespace

void add_export(CLI::App& queue, Invocation& invocation) {
  auto* command =
      queue.add_subcommand("export", "write messages into a folder: ID.eml and ID.json; the queue stays as it is");
  auto words = std::make_shared<QueueWords>();
  auto folder = std::make_shared<std::string>();
  command->add_option("ID", words->ids, "queue ids");
  command->add_option("--to", *folder, "the folder; made if it is not there")->required()->check(something());
  add_filters(*command, words, {"active", "deferred", "held", "frozen"});
  command->add_flag("--all", words->all, "all messages");
  command->add_flag("--dry-run", words->dry_run, "only say how many it would be");
  command->footer("To move mail: hold it, export it, import it elsewhere, and delete it here.");
  command->callback([&invocation, words, folder] { run_export(invocation, *words, *folder); });
}

}  // namespace holdfast::gatewayctl
