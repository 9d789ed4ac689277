// make-queue: fills a stopped gateway's spool with made-up mail, through the same SpoolWriter as smtpd does.
// At the next start qmgr finds the segments and indexes them, as after a crash of all. bench/README.md.
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/messages.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/config/load.h"
#include "common/storage/spool_writer.h"
#include "master/instance.h"
#include "master/writer_number.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kMostWaiting = 2000;  // messages not yet on disk

struct Options {
  std::string config_file, size = "4096", recipients = "1";
  std::vector<std::string> domains;
  std::uint64_t age_seconds = 3600, newest_seconds = 0;
  MessageOptions messages;
};

base::Result<Range> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto least = base::to_number(text.substr(0, dash));
  const auto most = dash == std::string_view::npos ? least : base::to_number(text.substr(dash + 1));
  if (!least || !most || *least == 0 || *most < *least) {
    return base::fail(base::Kind::kUsage, fmt::format("'{}' is neither a number nor FROM-TO", text));
  }
  return Range{*least, *most};
}

base::Status take_domains(const config::Config& config, const std::vector<std::string>& chosen, MessageOptions& out) {
  for (const auto& [name, domain] : config.domains) {
    if (chosen.empty()) out.domains.push_back({name, domain.destination});
  }
  for (const auto& name : chosen) {
    const auto* domain = config.find_domain(name);
    if (domain == nullptr) return base::fail(base::Kind::kUsage, "no such domain in the configuration: " + name);
    out.domains.push_back({domain->name, domain->destination});
  }
  if (out.domains.empty()) return base::fail(base::Kind::kUsage, "the configuration has no domain");
  return {};
}

// Counts what is on disk, and holds back who would fill the memory.
class Tally {
 public:
  void begin() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return under_way_ < kMostWaiting; });
    ++under_way_;
  }
  void take(const storage::SpoolWriter::Batch& batch) {
    const std::lock_guard lock(mutex_);
    under_way_ -= batch.completions.size();
    for (const auto& completion : batch.completions) {
      if (!completion.record && error_.empty()) error_ = completion.record.error().text;
    }
    changed_.notify_one();
  }
  std::string error() const {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t under_way_ = 0;
  std::string error_;
};

base::Status fill(const Options& options, const std::string& folder, std::uint32_t writer) {
  Messages messages(options.messages);
  Tally tally;
  {
    storage::SpoolWriter spool({.folder = folder, .writer = writer, .most_waiting = 2 * kMostWaiting},
                               [&](const storage::SpoolWriter::Batch& batch) { tally.take(batch); });
    for (std::uint64_t i = 0; i < options.messages.count && tally.error().empty(); ++i) {
      tally.begin();
      auto made = messages.next();
      storage::Content content(folder);
      if (auto done = content.append(made.content); !done) return done;
      const bool taken = spool.submit({.token = i, .id = mail::QueueId::make(writer, i + 1),
                                       .envelope = std::move(made.envelope), .content = std::move(content)});
      if (!taken) return base::fail(base::Kind::kInternal, "the spool's thread does not keep up");
    }
  }
  return tally.error().empty() ? base::Status{} : base::fail(base::Kind::kNoSpace, tally.error());
}

base::Status run(Options& options) {
  const auto config = config::load(options.config_file);
  if (!config) return std::unexpected(config.error());
  const auto size = parse_range(options.size), recipients = parse_range(options.recipients);
  if (!size) return std::unexpected(size.error());
  if (!recipients) return std::unexpected(recipients.error());
  options.messages.size = *size;
  options.messages.recipients = *recipients;
  if (auto done = take_domains(*config, options.domains, options.messages); !done) return done;
  const auto now_ms = base::to_millis(base::wall_now());
  options.messages.oldest_ms = now_ms - static_cast<std::int64_t>(options.age_seconds) * 1000;
  options.messages.newest_ms = now_ms - static_cast<std::int64_t>(options.newest_seconds) * 1000;
  const std::string folder = storage::segments_folder(config->paths.spool);
  for (const auto& needed : {folder, config->paths.state, config->paths.run}) {
    if (auto made = base::make_folders(needed); !made) return made;
  }
  const auto alone = master::Instance::take(config->paths.run, 0);  // nobody else gives numbers now
  if (!alone) return std::unexpected(alone.error());
  auto numbers = master::WriterNumbers::open(config->paths);
  if (!numbers) return std::unexpected(numbers.error());
  const auto writer = numbers->next();
  if (!writer) return std::unexpected(writer.error());
  const auto begun = base::mono_now();
  if (auto done = fill(options, folder, *writer); !done) return done;
  const auto took = std::chrono::duration<double>(base::mono_now() - begun).count();
  fmt::print("{} messages in {:.1f} s, writer {:06X}\n", options.messages.count, took, *writer);
  return {};
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast;
  CLI::App app("Fills the spool of a gateway that does not run with made-up mail.");
  bench::Options options;
  auto& made = options.messages;
  app.add_option("--config", options.config_file, "the gateway's configuration")->required();
  app.add_option("--count", made.count, "how many messages")->required()->check(CLI::Range(1ULL, 1ULL << 39));
  app.add_option("--size", options.size, "bytes of a content, or FROM-TO (4096)");
  app.add_option("--recipients", options.recipients, "of a message, or FROM-TO (1)");
  app.add_option("--domain", options.domains, "of the recipients; may be said again (all that are configured)");
  app.add_option("--senders", made.senders, "how many different ones (1000)")->check(CLI::PositiveNumber);
  app.add_option("--mailboxes", made.mailboxes, "how many in each domain (1000)")->check(CLI::PositiveNumber);
  app.add_option("--age", options.age_seconds, "seconds since the oldest came (3600)");
  app.add_option("--newest", options.newest_seconds, "seconds since the newest came (0)");
  app.add_option("--seed", made.seed, "the same seed makes the same messages (1)");
  CLI11_PARSE(app, argc, argv);
  if (auto done = bench::run(options); !done) {
    fmt::print(stderr, "make-queue: {}\n", done.error().text);
    return base::exit_code(done.error().kind);
  }
}
