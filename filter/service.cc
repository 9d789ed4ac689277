#include "filter/service.h"

#include <thread>

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/core.h>

#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/base/text.h"
#include "filter/answer.h"

namespace holdfast::filter {
namespace {

constexpr std::uint64_t kMemory = 2ULL << 30;
constexpr net::Millis kLook{2'000}, kShortLook{50};
// Libraries look at the clock where we let them: so much longer than a scan's time is more than they need between two looks.
constexpr base::Seconds kBeyond{60};

std::shared_ptr<const Policy> policy_of(const config::Config& config) {
  return std::make_shared<const Policy>(Policy::from(config.content_filter));
}

// "ID: content=…", on the loop's thread, which writes the log out when it turns.
Milter::Told log_on(net::Loop& loop) {
  return [&loop](std::string_view id, const Report& report) {
    const std::string_view name = id.empty() ? "NOQUEUE" : id;
    loop.post([line = base::printable(fmt::format("{}: {}", name.substr(0, 100), log_text(report)))] { base::log().notice(line); });
  };
}

}  // namespace

void bound_memory() {
#ifndef HOLDFAST_SANITIZED
  const rlimit limit{kMemory, kMemory};
  ::setrlimit(RLIMIT_DATA, &limit);
#endif
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

Service::Service(daemon::Context& context)
    : loop_(context.loop),
      config_(context.config),
      milter_(new Milter(policy_of(*context.config), {}, log_on(context.loop))),
      watch_(loop_, [this] { look(); }),
      last_(loop_, [this] {
        if (milter_->idle()) done_();
      }) {}

base::Result<std::unique_ptr<daemon::Service>> Service::start(daemon::Context& context) {
  prepare_libraries();
  auto out = std::make_unique<Service>(context);
  if (auto opened = out->open(config::filter_socket(context.config->paths)); !opened) return std::unexpected(opened.error());
  return out;
}

base::Status Service::open(const std::string& socket) {
  if (auto opened = milter_->open(socket); !opened) return opened;
  // libmilter would end itself at a signal of ours; the kernel gives these to the main thread, which has them unblocked. If it
  // ends nevertheless there is nothing left to do here, and master starts another.
  std::thread([milter = milter_] {
    milter->serve();
    ::_exit(base::exit_code(base::Kind::kTemporary));
  }).detach();
  watch_.every(kLook);
  return {};
}

void Service::reload(config::ConfigPtr config) {
  config_ = std::move(config);
  milter_->set_policy(policy_of(*config_));
}

void Service::drain(std::function<void()> done) {
  done_ = std::move(done);
  last_.every(kShortLook);
}

void Service::look() {
  const auto limit = config_->content_filter.time + kBeyond;
  if (milter_->oldest_scan(loop_.now()) > limit) base::panic("a scan does not end");
}

}  // namespace holdfast::filter
