#include "gatewayctl/log_tail.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <span>
#include <tuple>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/admin/log_lines.h"
#include "common/admin/log_search.h"
#include "common/base/text.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

struct Wanted {
  std::string daemon;  // empty: all
  std::size_t lines = 10;
  bool once = false;
};

// The files that are written to, each read on from where it was.
class Tails {
 public:
  Tails(std::string folder, std::string daemon) : folder_(std::move(folder)), daemon_(std::move(daemon)) {}

  // What was added since the last call, in order of time.
  base::Result<std::vector<FoundLine>> added() {
    const auto files = list_log_files(folder_);
    if (!files) return std::unexpected(files.error());
    std::vector<FoundLine> out;
    for (const auto& file : *files) {
      if (file.age > 0 || file.packed || (!daemon_.empty() && file.name != daemon_)) continue;
      any_ = true;
      const auto take = [&](std::string_view line) {
        const auto parts = LogLine::parse(line);
        // The web's audit log is no daemon's: its lines are shown to whoever names it.
        if (!parts && daemon_.empty()) return;
        out.push_back({parts ? log_time(parts->date, file.written_s).value_or(0) : 0, parts ? order_in_second(parts->text) : 0,
                       std::string(line)});
      };
      const auto done = tails_.try_emplace(file.path, file.path).first->second.read_on(take);
      if (!done && done.error().kind != base::Kind::kNotFound) return std::unexpected(done.error());
    }
    std::ranges::stable_sort(out, {}, [](const FoundLine& f) { return std::tuple(f.when_s, f.order); });
    return out;
  }
  bool any() const { return any_; }

 private:
  const std::string folder_, daemon_;
  std::map<std::string, LogTail> tails_;
  bool any_ = false;
};

void print(const Invocation& invocation, std::span<const FoundLine> lines) {
  for (const auto& found : lines) {
    const std::string object = invocation.json ? found_json(found) : "";
    std::fputs((object.empty() ? base::printable(found.line) + "\n" : object).c_str(), stdout);
  }
  std::fflush(stdout);
}

// Until the reader has had enough.
base::Status follow(const Invocation& invocation, const FolderWatch& watch, Tails& tails) {
  for (;;) {
    const auto lines = tails.added();
    if (!lines) return std::unexpected(lines.error());
    print(invocation, *lines);
    if (std::ferror(stdout) != 0) return {};
    if (auto done = watch.wait(); !done) return done;
  }
}

void run_tail(Invocation& invocation, const Wanted& wanted) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto& folder = gateway.config().paths.log;
    const auto watch = FolderWatch::open(folder);  // before the first look, so that nothing is missed
    if (!watch) return std::unexpected(watch.error());
    Tails tails(folder, wanted.daemon);
    const auto lines = tails.added();
    if (!lines) return std::unexpected(lines.error());
    if (!tails.any()) return base::fail(base::Kind::kNotFound, fmt::format("there is no {}.log in {}", base::printable(wanted.daemon), folder));
    print(invocation, std::span(*lines).last(std::min(lines->size(), wanted.lines)));
    return wanted.once ? base::Status{} : follow(invocation, *watch, tails);
  });
}

}  // namespace

void add_log_tail(CLI::App& log, Invocation& invocation) {
  auto wanted = std::make_shared<Wanted>();
  auto* tail = log.add_subcommand("tail", "the last lines of all logs, or of one daemon's, and what is added to them");
  tail->add_option("NAME", wanted->daemon, "smtpd, qmgr, …; audit is the log of what was done by the web");
  tail->add_option("--lines,-n", wanted->lines, "so many of those that are there")->check(counting())->capture_default_str();
  tail->add_flag("--once", wanted->once, "only those that are there");
  tail->callback([&invocation, wanted] { run_tail(invocation, *wanted); });
}

}  // namespace holdfast::gatewayctl
