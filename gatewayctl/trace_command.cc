#include "gatewayctl/trace_command.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <tuple>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/base/text.h"
#include "common/mail/address.h"
#include "gatewayctl/log_files.h"
#include "gatewayctl/log_lines.h"
#include "gatewayctl/queue_walk.h"
#include "gatewayctl/text_json.h"

namespace holdfast::gatewayctl {
namespace {

struct Found {
  std::int64_t when_s = 0;
  int order = 0;
  std::string line;
};

// The logs, read twice: once to learn which ids are meant, once for their lines. Only the lines found are kept.
class Tracer {
 public:
  Tracer(const Invocation& invocation, std::string folder, const std::string& what)
      : invocation_(invocation), folder_(std::move(folder)), trace_(what) {}

  void add(const std::string& id) { trace_.add(id); }

  base::Status search() {
    const auto files = list_log_files(folder_);
    if (!files) return std::unexpected(files.error());
    if (auto done = each_line(
            *files, [&](const LogFile&, const LogLine& line, std::string_view) { trace_.learn(line); }, false);
        !done) {
      return done;
    }
    trace_.settle();
    const auto collect = [&](const LogFile& file, const LogLine& line, std::string_view whole) {
      if (trace_.belongs(line))
        found_.push_back(
            {log_time(line.date, file.written_s).value_or(0), order_in_second(line.text), std::string(whole)});
    };
    return each_line(*files, collect, true);
  }

  bool found_any() const { return !found_.empty(); }

  void show() {
    std::ranges::stable_sort(found_, {}, [](const Found& f) { return std::tuple(f.when_s, f.order); });
    for (const auto& found : found_) print(found.line, found.when_s);
    std::fflush(stdout);
  }

  // Until the reader has had enough.
  base::Status follow() {
    const auto watch = FolderWatch::open(folder_);
    if (!watch) return std::unexpected(watch.error());
    for (;;) {
      if (auto done = show_added(); !done) return done;
      if (auto done = watch->wait(); !done) return done;
    }
  }

 private:
  using Visit = std::function<void(const LogFile&, const LogLine&, std::string_view)>;

  // `keep_open`: what is added to the files later is read on from there.
  base::Status each_line(const std::vector<LogFile>& files, const Visit& visit, bool keep_open) {
    for (const auto& file : files) {
      const auto line_visit = [&](std::string_view whole) {
        if (const auto line = LogLine::parse(whole)) visit(file, *line, whole);
      };
      const bool current = keep_open && file.age == 0 && !file.packed;
      const auto done = current ? tails_.try_emplace(file.path, file.path).first->second.read_on(line_visit)
                                : read_lines(file, line_visit);
      // One that was rotated away meanwhile is read under its new name, or was.
      if (!done && done.error().kind != base::Kind::kNotFound) return done;
    }
    return {};
  }

  base::Status show_added() {
    const auto files = list_log_files(folder_);
    if (!files) return std::unexpected(files.error());
    std::vector<LogFile> current;
    std::ranges::copy_if(*files, std::back_inserter(current), [](const LogFile& f) { return f.age == 0 && !f.packed; });
    const auto done = each_line(
        current,
        [&](const LogFile& file, const LogLine& line, std::string_view whole) {
          if (trace_.learn(line)) trace_.settle();
          if (trace_.belongs(line)) print(std::string(whole), log_time(line.date, file.written_s).value_or(0));
        },
        true);
    std::fflush(stdout);
    return done;
  }

  void print(const std::string& whole, std::int64_t when_s) const {
    const auto line = LogLine::parse(whole);
    if (!invocation_.json || !line) {
      std::puts(base::printable(whole).c_str());
      return;
    }
    std::fputs(dump_line({{"time", time_json(when_s * 1000)},
                          {"host", line->host},
                          {"daemon", line->daemon},
                          {"pid", line->pid},
                          {"queue_id", line->id.empty() ? json() : json(line->id)},
                          {"text", line->text}})
                   .c_str(),
               stdout);
  }

  const Invocation& invocation_;
  const std::string folder_;
  Trace trace_;
  std::vector<Found> found_;
  std::map<std::string, LogTail> tails_;
};

// A recipient stands in the log with the first attempt only: mail that still waits for one is found in the queue.
base::Status add_queued(Gateway& gateway, const std::string& address, Tracer& tracer) {
  if (address.find('@') == address.npos || address.size() > mail::kMaxAddress) return {};
  const auto add = [&](const storage::Listed& item) { tracer.add(item.id.text()); };
  QueueWords words;
  words.recipient = address;
  return each_message(gateway, words, ~0ULL, {}, add, [] {});
}

void run_trace(Invocation& invocation, const std::string& what, bool follow) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    if (base::trim(what).size() < 2)
      return base::fail(base::Kind::kUsage, "what is to be traced? A queue id, an address or a message-id");
    Tracer tracer(invocation, gateway.config().paths.log, what);
    if (auto done = add_queued(gateway, std::string(base::trim(what)), tracer); !done) return done;
    if (auto done = tracer.search(); !done) return done;
    tracer.show();
    if (follow) return tracer.follow();
    if (tracer.found_any()) return {};
    return base::fail(base::Kind::kNotFound, fmt::format("the logs do not speak of {}", base::printable(what)));
  });
}

}  // namespace

void add_trace_command(CLI::App& app, Invocation& invocation) {
  auto* trace = app.add_subcommand("trace", "where did my message go: what all logs say of it, in order of time");
  auto what = std::make_shared<std::string>();
  auto follow = std::make_shared<bool>(false);
  trace->add_option("WHAT", *what, "a queue id, an address, @DOMAIN, or a message-id")->required();
  trace->add_flag("--follow,-f", *follow, "and what is added to the logs, until interrupted");
  trace->footer("Rotated logs are read too (NAME.log.1, NAME.log.2.gz). Bounces that came of a message belong to it.");
  trace->callback([&invocation, what, follow] { run_trace(invocation, *what, *follow); });
}

}  // namespace holdfast::gatewayctl
