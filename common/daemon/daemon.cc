#include "common/daemon/daemon.h"

#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <fmt/core.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/memory_reserve.h"
#include "common/base/panic.h"
#include "common/config/load.h"
#include "common/daemon/arguments.h"
#include "common/daemon/event_sender.h"
#include "common/daemon/file_bag.h"
#include "common/daemon/life_line.h"
#include "common/ipc/peer.h"
#include "common/sandbox/rights.h"
#include "common/sandbox/sandbox.h"
#include "common/stats/page.h"

namespace holdfast::daemon {

ipc::Hello Context::hello() const {
  ipc::Hello out;
  out.name = name;
  out.worker = worker;
  out.pid = static_cast<std::uint32_t>(::getpid());
  return out;
}

std::string Context::socket(std::string_view daemon) const {
  return fmt::format("{}/{}.sock", config->paths.run, daemon);
}

namespace {

constexpr net::Millis kDrainLimit{8'000};
constexpr net::Millis kMemoryLook{2'000};
// Enough for what is under way: contents over 1 MiB are in files, and 64 of the smaller ones are most.
constexpr std::size_t kMemoryReserve = 16 << 20;

int give_up(const std::string& name, const base::Error& error) {
  std::fprintf(stderr, "%s: %s\n", name.c_str(), error.text.c_str());
  base::log().error(error.text);
  return base::exit_code(error.kind);
}

// Reading takes several times the memory of what was read, and malloc would keep it: 10 MiB of 1,000 destinations.
base::Result<config::ConfigPtr> read_config(const std::string& file) {
  auto loaded = config::load_alone(file);
  if (!loaded) return std::unexpected(loaded.error());
  auto out = std::make_shared<const config::Config>(*std::move(loaded));
  ::malloc_trim(0);
  return out;
}

// Where this process counts from now on; null: nobody asks for it. A gateway without figures still moves mail.
std::unique_ptr<stats::Page> take_counters(int fd) {
  const base::UniqueFd memory(fd);
  if (!memory) return nullptr;
  auto page = stats::Page::open(memory.get());
  if (!page) {
    base::log().warning(page.error().text);
    return nullptr;
  }
  page->use();
  return std::make_unique<stats::Page>(std::move(*page));
}

// A process between its start and its end.
class Process {
 public:
  Process(const Spec& spec, Arguments arguments, config::ConfigPtr config)
      : spec_(spec),
        arguments_(std::move(arguments)),
        context_{.loop = loop_,
                 .config = std::move(config),
                 .worker = arguments_.worker,
                 .workers = arguments_.workers,
                 .writer = arguments_.writer,
                 .listeners = {},
                 .board_fd = arguments_.board_fd,
                 .name = spec.name},
        limit_(loop_, [this] { loop_.stop(); }),
        memory_look_(loop_, [this] { look_for_memory(); }) {
    for (const int fd : arguments_.listen_fds) adopt(fd);
    if (const base::UniqueFd files(arguments_.files_fd); files) take_files(files.get());
    // Ctrl-C goes to the whole foreground group: the order of the end is master's affair.
    ::signal(SIGINT, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
    base::log().set_debug(context_.config->debug);
    loop_.on_turn_end([this] {
      watch_memory();
      base::log().flush();
    });
  }

  int run() {
    if (auto closed = close_doors(); !closed) return give_up(spec_.name, closed.error());
    const auto* rights = sandbox::rights_of(spec_.name);
    if (rights == nullptr || !rights->alone) events_ = std::make_unique<EventSender>(loop_, context_.socket("alertd"), context_.hello());
    auto service = spec_.start(context_);
    if (!service) return give_up(spec_.name, service.error());
    service_ = std::move(*service);
    net::Signal terminate(loop_, SIGTERM, [this] { end(); });
    net::Signal hangup(loop_, SIGHUP, [this] { reload(); });
    watch_master();
    say_ready();
    loop_.run();
    service_.reset();
    events_.reset();
    base::log().flush();
    return 0;
  }

 private:
  // From here on bytes of strangers may come, and threads be started.
  base::Status close_doors() {
    const auto& config = *context_.config;
    ipc::let_own_account_command(!others_account());
    if (!config.sandbox) return {};
    const auto& paths = config.paths;
    const auto told = sandbox::enter({.daemon = spec_.name,
                                      .folders = {paths.spool, paths.state, paths.run, paths.log},
                                      .unseen = others_account()});
    if (!told) return std::unexpected(told.error());
    for (const auto& line : *told) base::log().warning(line);
    return {};
  }

  // Whether we run as somebody else than master: other processes of that account may be anybody's.
  bool others_account() const {
    const auto master = arguments_.life_fd < 0 ? std::nullopt : ipc::peer_uid(arguments_.life_fd);
    return master && *master != ::geteuid();
  }

  void adopt(int fd) {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    context_.listeners.emplace_back(fd);
  }

  // The other end is held by master and by nobody else.
  void watch_master() {
    if (arguments_.life_fd < 0) return;
    life_.reset(arguments_.life_fd);
    ::fcntl(life_.get(), F_SETFD, FD_CLOEXEC);
    life_watch_ = std::make_unique<net::Watch>(loop_, life_.get(), net::Watch::For::kRead, [this] { on_life_line(); });
    life_watch_->on();
  }

  // False: there was nothing to read.
  bool on_life_line() {
    auto news = read_life_line(life_.get());
    switch (news.what) {
      case LifeNews::What::kNothing: return false;
      case LifeNews::What::kGone: master_gone(); return false;
      case LifeNews::What::kFiles: take_files(news.fds.front().get()); return true;
      case LifeNews::What::kListeners: break;
    }
    if (ending_) return true;
    for (const auto& fd : news.fds) ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    service_->listen(std::move(news.fds));
    return true;
  }

  // They count with the next reload, which master asks for behind them.
  static void take_files(int fd) {
    if (auto taken = unpack_files(fd); !taken) base::log().error(taken.error().text);
  }

  void master_gone() {
    life_watch_->off();
    if (ending_) return;
    base::log().warning("master has died: ending");
    end();
  }

  // Said once when it begins and once when it is over, looked at every now and then in between.
  void watch_memory() {
    if (!base::short_of_memory() || memory_look_.waiting()) return;
    base::log().warning("short of memory: no new work is taken");
    memory_look_.every(kMemoryLook);
  }

  void look_for_memory() {
    if (!base::regain_memory_reserve()) return;
    memory_look_.stop();
    base::log().notice("there is memory again");
  }

  void say_ready() {
    if (arguments_.ready_fd < 0) return;
    const base::UniqueFd fd(arguments_.ready_fd);
    (void)base::write_all(fd.get(), "ready\n");
  }

  void end() {
    if (ending_) return;
    ending_ = true;
    limit_.start(kDrainLimit);
    service_->drain([this] { loop_.stop(); });
  }

  void reload() {
    while (life_ && on_life_line()) {}
    if (auto done = base::log().reopen(); !done) base::log().warning(done.error().text);
    auto loaded = read_config(arguments_.config);
    if (!loaded) {
      base::log().warning("configuration not reloaded: " + loaded.error().text);
      return;
    }
    context_.config = *std::move(loaded);
    base::log().set_debug(context_.config->debug);
    service_->reload(context_.config);
    base::log().notice("configuration reloaded");
  }

  const Spec& spec_;
  Arguments arguments_;
  net::Loop loop_;
  Context context_;
  net::Timer limit_, memory_look_;
  base::UniqueFd life_;
  std::unique_ptr<net::Watch> life_watch_;
  std::unique_ptr<EventSender> events_;  // before the threads that announce, and longer
  std::unique_ptr<Service> service_;
  bool ending_ = false;
};

}  // namespace

int run(int argc, char** argv, const Spec& spec) {
  ::umask(027);
  auto arguments = parse_arguments({argv + 1, argv + argc});
  if (!arguments) return give_up(spec.name, arguments.error());
  const auto loaded = read_config(arguments->config);
  if (!loaded) return give_up(spec.name, loaded.error());
  const config::ConfigPtr& config = *loaded;
  if (auto opened = base::log().open(config->paths.log + "/" + spec.name + ".log", config->hostname, spec.name); !opened) {
    return give_up(spec.name, opened.error());
  }
  const auto counted = take_counters(arguments->stats_fd);
  base::keep_memory_reserve(kMemoryReserve);
  base::set_panic_hook([](std::string_view text) { base::log().error(text); });
  return Process(spec, std::move(*arguments), config).run();
}

}  // namespace holdfast::daemon
