#include "gatewayctl/figures_commands.h"

#include <cstdio>
#include <limits>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/admin/figures.h"
#include "common/admin/metrics.h"
#include "common/admin/top_report.h"
#include "common/base/time.h"
#include "gatewayctl/words.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

void put(const std::string& text) { std::fputs(text.c_str(), stdout); }

void run_stats(Invocation& invocation) {
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    const auto figures = gather_figures(gateway, HOLDFAST_VERSION);
    if (!figures.sums) return base::fail(base::Kind::kUnavailable, "master does not answer: what it counts is unknown");
    put(invocation.json ? stats_json(samples(figures)) : stats_text(samples(figures)));
    return {};
  });
}

// With a master that is dead what can be seen without it is still told.
void run_metrics(Invocation& invocation, bool reference) {
  if (reference) return put(metrics_reference());
  with_gateway(invocation, [](Gateway& gateway) -> base::Status {
    put(metrics_text(samples(gather_figures(gateway, HOLDFAST_VERSION))));
    return {};
  });
}

struct Top {
  double every = 2;
  std::uint64_t count = 0;  // 0: until somebody ends it
};

struct Screen {
  bool is_one = ::isatty(STDOUT_FILENO) == 1;
  std::size_t width = kNoLimit, height = kNoLimit;

  // As it is now: people resize.
  static Screen now() {
    Screen out;
    winsize size{};
    if (out.is_one && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1) {
      out.width = size.ws_col;
      out.height = size.ws_row - 1U;
    }
    return out;
  }
};

// On a screen each page takes the place of the last; elsewhere they follow one another.
void show(const Figures& now, const Figures* before, double seconds, bool first) {
  const auto screen = Screen::now();
  const auto text = top_text(now, before, seconds, screen.width, screen.height);
  if (screen.is_one) {
    put("\x1b[H\x1b[J" + text);
  } else {
    put((first ? "" : "\n") + text);
  }
  std::fflush(stdout);
}

void run_top(Invocation& invocation, const Top& top) {
  if (top.every < 0.1) {
    invocation.exit_code = report({base::Kind::kUsage, "--every: at least 0.1 seconds"});
    return;
  }
  with_gateway(invocation, [&](Gateway& gateway) -> base::Status {
    std::unique_ptr<Figures> before;
    auto then = base::mono_now();
    for (std::uint64_t n = 0; (top.count == 0 || n < top.count) && std::ferror(stdout) == 0; ++n) {
      if (n > 0) std::this_thread::sleep_for(std::chrono::duration<double>(top.every));
      auto figures = std::make_unique<Figures>(gather_figures(gateway, HOLDFAST_VERSION));
      const auto now = base::mono_now();
      show(*figures, before.get(), std::chrono::duration<double>(now - then).count(), n == 0);
      then = now;
      before = std::move(figures);
    }
    return {};
  });
}

}  // namespace

void add_figures_commands(CLI::App& app, Invocation& invocation) {
  app.add_subcommand("stats", "what the daemons have counted since the gateway was started")->callback([&invocation] {
    run_stats(invocation);
  });
  auto* metrics = app.add_subcommand("metrics", "the same for Prometheus, as webd serves it at /metrics");
  auto reference = std::make_shared<bool>(false);
  metrics->add_flag("--reference", *reference, "instead, what each metric is: docs/metrics.md");
  metrics->callback([&invocation, reference] { run_metrics(invocation, *reference); });

  auto* command = app.add_subcommand("top", "what happens now, drawn again and again, until Ctrl-C");
  auto top = std::make_shared<Top>();
  command->add_option("--every", top->every, "seconds between two looks")->capture_default_str();
  command->add_option("-n,--count", top->count, "end after so many looks")->check(counting());
  command->callback([&invocation, top] { run_top(invocation, *top); });
}

}  // namespace holdfast::gatewayctl
