#include "gatewayctl/import_command.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "common/base/file.h"
#include "common/base/text.h"
#include "gatewayctl/hand_in.h"
#include "gatewayctl/import_files.h"
#include "common/admin/table.h"
#include "common/admin/text_json.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::size_t kBatch = 200;  // messages a sync
constexpr std::uint64_t kBatchBytes = 16 << 20;

// One run of the command. A message is imported when a sync has made it durable; then a file beside it says so, which
// keeps a second run from doing it again.
class Importer {
 public:
  Importer(const Gateway& gateway, const Invocation& invocation, const ImportWords& words, HandIn spool)
      : gateway_(gateway), invocation_(invocation), words_(words), spool_(std::move(spool)) {}

  // A file that is wrong is named, and the others go on; when the spool takes nothing more, nothing goes on.
  base::Status take(const std::string& eml) {
    if (!words_.again && ::access(beside(eml, ".imported").c_str(), F_OK) == 0) return skip();
    const auto id = spool_.next_id();
    auto import = read_import(gateway_.config(), words_, eml, id, base::to_millis(base::wall_now()));
    if (!import) return miss(eml, import.error());
    if (words_.dry_run) {
      ++imported_;
      return {};
    }
    if (auto done = spool_.add(id, import->envelope, import->content); !done) {
      return done.error().kind == base::Kind::kData ? miss(eml, done.error()) : done;
    }
    batch_.push_back({eml, id});
    bytes_ += import->content.size();
    return batch_.size() >= kBatch || bytes_ >= kBatchBytes ? sync() : base::Status{};
  }

  base::Status finish() {
    if (auto done = sync(); !done) return done;
    return spool_.close();
  }

  base::Status sum_up(const base::Status& done) const {
    if (invocation_.json) {
      std::fputs(
          dump_line(
              {{words_.dry_run ? "would_import" : "imported", imported_}, {"failed", failed_}, {"skipped", skipped_}})
              .c_str(),
          stdout);
    } else {
      fmt::print("{}{} imported\n", words_.dry_run ? "would be: " : "", count_text(imported_, "message"));
      if (skipped_ > 0)
        fmt::print("{} left out: imported before (--again imports it once more)\n", count_text(skipped_, "message"));
    }
    if (!done) return done;
    if (failed_ > 0) return base::fail(base::Kind::kData, count_text(failed_, "message") + " not imported");
    return {};
  }

 private:
  struct Added {
    std::string eml;
    mail::QueueId id;
  };

  base::Status sync() {
    if (auto done = spool_.sync(); !done) return done;
    for (const auto& added : batch_) kept(added);
    if (!batch_.empty()) make_marks_durable();
    batch_.clear();
    bytes_ = 0;
    return {};
  }

  void kept(const Added& added) {
    ++imported_;
    if (auto marked = mark(added); !marked) warn(marked.error());
    if (invocation_.json) {
      std::fputs(dump_line({{"file", added.eml}, {"queue_id", added.id.text()}}).c_str(), stdout);
    } else {
      fmt::print("{}  {}\n", added.id.text(), base::printable(added.eml));
    }
  }

  // Its name alone counts; what is in it is for people.
  base::Status mark(const Added& added) {
    const std::string path = beside(added.eml, ".imported");
    const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) return base::fail_errno(path, errno);
    return base::write_all(fd.get(), fmt::format("{} {} {}\n", gateway_.config().hostname, added.id.text(),
                                                 base::iso8601(base::wall_now())));
  }

  void make_marks_durable() {
    std::set<std::string> folders;
    for (const auto& added : batch_) folders.insert(std::filesystem::path(added.eml).parent_path().string());
    for (const auto& folder : folders) {
      if (auto done = base::fsync_folder(folder.empty() ? "." : folder); !done) warn(done.error());
    }
  }

  static void warn(const base::Error& error) {
    (void)report({error.kind, "warning: a second import may not know of this one: " + error.text});
  }

  base::Status skip() {
    ++skipped_;
    return {};
  }

  base::Status miss(const std::string& eml, const base::Error& error) {
    ++failed_;
    (void)report({error.kind, eml + ": " + error.text});
    return {};
  }

  const Gateway& gateway_;
  const Invocation& invocation_;
  const ImportWords& words_;
  HandIn spool_;
  std::vector<Added> batch_;
  std::uint64_t bytes_ = 0, imported_ = 0, failed_ = 0, skipped_ = 0;
};

// What was added before a failure is kept all the same.
base::Status import_all(Importer& importer, const std::vector<std::string>& files) {
  base::Status done{};
  for (auto eml = files.begin(); done && eml != files.end(); ++eml) done = importer.take(*eml);
  const auto finished = importer.finish();
  return done ? finished : done;
}

void run_import(Invocation& invocation, const ImportWords& words) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto files = find_eml_files(words.paths);
    if (!files) return std::unexpected(files.error());
    auto spool = HandIn::open(gateway);
    if (!spool) return std::unexpected(spool.error());
    Importer importer(gateway, invocation, words, std::move(*spool));
    return importer.sum_up(import_all(importer, *files));
  });
}

}  // namespace

void add_import(CLI::App& queue, Invocation& invocation) {
  auto* command =
      queue.add_subcommand("import", "keep messages from files: those that queue export wrote, or any .eml");
  auto words = std::make_shared<ImportWords>();
  command->add_option("PATH", words->paths, "folders, or .eml files")->required();
  command->add_option("--sender", words->sender, "of files without a .json beside them; <> is the null sender");
  command->add_option("--recipient", words->recipients, "of files without a .json beside them; may be given again");
  command->add_option("--destination", words->destination, "give all of them to this destination");
  command->add_flag("--hold", words->hold, "hold them, to be looked at before they go on");
  command->add_flag("--again", words->again, "those that were imported before, too: they will be delivered twice");
  command->add_flag("--dry-run", words->dry_run, "only say how many it would be");
  command->footer(
      "Each gets a new queue id and keeps its time of arrival. A file X.imported beside X.eml says that it was "
      "imported.\n"
      "Mail that was held or frozen is held again. Mail past its lifetime gets another. Quotas do not count.");
  command->callback([&invocation, words] { run_import(invocation, *words); });
}

}  // namespace holdfast::gatewayctl
