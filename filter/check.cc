#include "filter/check.h"

#include <cstdio>

#include <fmt/core.h>

#include "common/base/file.h"
#include "common/base/time.h"
#include "common/config/load.h"
#include "common/sandbox/sandbox.h"
#include "filter/scan.h"

namespace holdfast::filter {
namespace {

constexpr std::size_t kLongest = 256 << 20;

struct Wanted {
  std::string config = "/etc/holdfast/gateway.yaml", file;
};

int give_up(const base::Error& error) {
  std::fprintf(stderr, "holdfast-filter: %s\n", error.text.c_str());
  return base::exit_code(error.kind);
}

base::Result<Wanted> parse(const std::vector<std::string>& words) {
  Wanted out;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    if (words[i] == "--check") {
      out.file = words[i + 1];
    } else if (words[i] == "--config") {
      out.config = words[i + 1];
    } else {
      return base::fail(base::Kind::kUsage, check_usage());
    }
  }
  if (out.file.empty() || words.size() % 2 != 0) return base::fail(base::Kind::kUsage, check_usage());
  return out;
}

// From here on nothing is opened, and nobody is spoken to.
base::Status close_doors(const config::Config& config) {
  if (!config.sandbox) return {};
  const auto& paths = config.paths;
  const auto told = sandbox::enter({.daemon = "filter", .folders = {paths.spool, paths.state, paths.run, paths.log}});
  if (!told) return std::unexpected(told.error());
  for (const auto& line : *told) std::fprintf(stderr, "holdfast-filter: %s\n", line.c_str());
  return {};
}

int print(const Report& report) {
  for (const auto& f : report.findings) {
    std::printf("%s: %s: %s\n", std::string(to_text(f.action)).c_str(), std::string(to_text(f.rule)).c_str(), f.text.c_str());
  }
  if (report.findings.empty()) std::printf("nothing found\n");
  const Finding* worst = report.worst();
  return worst != nullptr && worst->action > Action::kHeader ? base::exit_code(base::Kind::kData) : 0;
}

}  // namespace

std::string check_usage() { return "usage: holdfast-filter [--config FILE] --check FILE"; }

int check(const std::vector<std::string>& words) {
  const auto wanted = parse(words);
  if (!wanted) return give_up(wanted.error());
  const auto config = config::load(wanted->config);
  if (!config) return give_up(config.error());
  const auto message = base::read_file(wanted->file, kLongest);
  if (!message) return give_up(message.error());
  prepare_libraries();
  if (auto closed = close_doors(*config); !closed) return give_up(closed.error());
  const Policy policy = Policy::from(config->content_filter);
  const auto until = base::mono_now() + policy.limits.time;
  return print(scan(*message, policy, [until] { return base::mono_now() >= until; }, true));
}

}  // namespace holdfast::filter
