// smtp-load: clients that send mail and measure how long it takes. bench/README.md.
//
// Closed loop (--clients): each sends its next message when its last was answered. Open loop (--rate): messages
// are due at even intervals whatever becomes of those before, and a message's latency counts from then, so that what
// waits for a slow server is not left out of the figures.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench/load_client.h"

namespace holdfast::bench {
namespace {

struct Options {
  std::uint16_t port = 0;
  std::size_t clients = 20, messages = 0, size = 4096;
  double rate = 0, seconds = 0;
  std::vector<std::string> recipients;
  LoadClient::Manner manner;
};

std::string content_of(std::size_t size) {
  std::string out = "From: load@client.test\r\nSubject: load\r\n\r\n";
  while (out.size() < size) out.append(std::min<std::size_t>(76, size - out.size()), 'x').append("\r\n");
  return out;
}

double seconds_between(base::Mono from, base::Mono to) { return std::chrono::duration<double>(to - from).count(); }

class Load {
 public:
  explicit Load(Options options);

  void run();
  nlohmann::json figures() const;

 private:
  bool over() const;
  void fill_clients();
  void on_due();
  void arm(int fd) const;
  std::optional<Task> next();
  Task make(base::Mono due);
  void done(const Task& task, const std::string& problem);
  void idle(LoadClient* client);
  void stop_if_over();

  Options options_;
  net::Loop loop_;
  std::vector<std::unique_ptr<LoadClient>> clients_;
  std::vector<LoadClient*> free_;
  std::deque<Task> backlog_;  // open loop: due, and no client is free
  base::Mono begun_{}, ended_{};
  std::size_t made_ = 0;
  std::vector<double> latencies_;  // milliseconds, of those that were accepted
  std::map<std::string, std::size_t> problems_;
};

Load::Load(Options options) : options_(std::move(options)) {
  for (std::size_t i = 0; i < options_.clients; ++i) {
    auto& slot = clients_.emplace_back();
    slot = std::make_unique<LoadClient>(
        loop_, options_.manner,
        LoadClient::Hooks{.next = [this] { return next(); },
                          .done = [this](const Task& task, const std::string& problem) { done(task, problem); },
                          .idle = [this, i] { idle(clients_[i].get()); }});
    free_.push_back(slot.get());
  }
}

bool Load::over() const {
  if (options_.messages > 0 && made_ >= options_.messages) return true;
  return options_.seconds > 0 && seconds_between(begun_, base::mono_now()) >= options_.seconds;
}

Task Load::make(base::Mono due) {
  return {.recipient = options_.recipients[made_++ % options_.recipients.size()], .due = due};
}

std::optional<Task> Load::next() {
  if (options_.rate <= 0) return over() ? std::nullopt : std::optional(make(base::mono_now()));
  if (backlog_.empty()) return std::nullopt;
  Task task = std::move(backlog_.front());
  backlog_.pop_front();
  return task;
}

void Load::fill_clients() {
  while (!free_.empty()) {
    auto task = next();
    if (!task) return;
    LoadClient* const client = free_.back();
    free_.pop_back();
    client->start(*std::move(task));
  }
}

// Each message has its own place in time: a late turn of the loop moves none.
void Load::on_due() {
  const auto now = base::mono_now();
  while (!over()) {
    const auto due = begun_ + std::chrono::duration_cast<base::Mono::duration>(
                                  std::chrono::duration<double>(static_cast<double>(made_) / options_.rate));
    if (due > now) break;
    backlog_.push_back(make(due));
  }
  fill_clients();
  stop_if_over();
}

void Load::arm(int fd) const {
  const auto ns = static_cast<long>(1e9 / options_.rate);
  const timespec interval{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  const itimerspec when{.it_interval = interval, .it_value = {.tv_sec = 0, .tv_nsec = 1}};
  ::timerfd_settime(fd, 0, &when, nullptr);
}

void Load::run() {
  const base::UniqueFd clock(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  net::Watch due(loop_, clock.get(), net::Watch::For::kRead, [this, &clock] {
    std::uint64_t times = 0;
    (void)!::read(clock.get(), &times, sizeof times);
    on_due();
  });
  begun_ = base::mono_now();
  if (options_.rate > 0) {
    arm(clock.get());
    due.on();
  } else {
    fill_clients();
  }
  loop_.run();
}

void Load::done(const Task& task, const std::string& problem) {
  ended_ = base::mono_now();
  if (problem.empty()) {
    latencies_.push_back(seconds_between(task.due, ended_) * 1000);
  } else {
    ++problems_[problem];
  }
}

void Load::idle(LoadClient* client) {
  free_.push_back(client);
  loop_.later([this] {
    fill_clients();
    stop_if_over();
  });
}

void Load::stop_if_over() {
  if (free_.size() == clients_.size() && backlog_.empty() && over()) loop_.stop();
}

nlohmann::json Load::figures() const {
  auto sorted = latencies_;
  std::sort(sorted.begin(), sorted.end());
  const auto percentile = [&](double part) {
    if (sorted.empty()) return 0.0;
    const auto at = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(at, 1) - 1];
  };
  std::size_t failed = 0;
  for (const auto& [problem, count] : problems_) failed += count;
  const double took = seconds_between(begun_, ended_);
  return {{"sent", sorted.size()}, {"failed", failed}, {"problems", problems_}, {"seconds", took},
          {"rate", took > 0 ? static_cast<double>(sorted.size()) / took : 0},
          {"p50_ms", percentile(0.5)}, {"p99_ms", percentile(0.99)}, {"max_ms", percentile(1)}};
}

// A connection a client, whatever the shell allows at first.
void raise_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast;
  CLI::App app("Sends mail to a server on this machine and prints one JSON object: sent, failed, rate, p50_ms, p99_ms.");
  bench::Options options;
  std::uint32_t patience = 60;
  app.add_option("--port", options.port, "of the server, on 127.0.0.1")->required();
  app.add_option("--clients", options.clients, "connections at a time, at most (20)")->check(CLI::PositiveNumber);
  app.add_option("--rate", options.rate, "open loop: messages a second that become due")->check(CLI::PositiveNumber);
  app.add_option("--messages", options.messages, "ends when so many were begun");
  app.add_option("--seconds", options.seconds, "begins none after this time");
  app.add_option("--size", options.size, "bytes of a content (4096)");
  app.add_option("--per-connection", options.manner.per_connection, "messages (1)")->check(CLI::PositiveNumber);
  app.add_option("--to", options.recipients, "recipients, one a message, in turns")->required();
  app.add_option("--from", options.manner.sender, "the sender (load@client.test)")->default_str("load@client.test");
  app.add_option("--patience", patience, "seconds for each answer (60)");
  CLI11_PARSE(app, argc, argv);
  if (options.messages == 0 && options.seconds <= 0) {
    fmt::print(stderr, "smtp-load: say --messages or --seconds\n");
    return 64;
  }
  if (options.manner.sender.empty()) options.manner.sender = "load@client.test";
  bench::raise_descriptors();
  options.manner.server = *net::SocketAddress::ip("127.0.0.1", options.port);
  options.manner.content = bench::content_of(options.size);
  options.manner.patience = base::Seconds(patience);
  bench::Load load(std::move(options));
  load.run();
  fmt::print("{}\n", load.figures().dump());
}
