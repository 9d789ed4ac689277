#include "master/master.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/config/load.h"
#include "common/config/show.h"
#include "common/config/web.h"
#include "common/daemon/board.h"
#include "master/notify.h"
#include "master/status.h"

namespace holdfast::master {
namespace {

using base::Kind;
using base::log;

std::uint32_t workers(int configured) {
  if (configured > 0) return static_cast<std::uint32_t>(configured);
  return std::max(1U, std::thread::hardware_concurrency());
}

// In the order of their start. Those who take mail and hand it over end first; qmgr and prober serve them.
std::vector<Role> roles(const config::Config& config, bool web) {
  std::vector<Role> out{{"alertd", 1, 1},
                        {"prober", 1, 1},
          {"qmgr", 1, 1},
          {"deliver", workers(config.deliver_workers), 0},
          {"smtpd", workers(config.smtpd.workers), 0}};
  if (web) out.push_back({"webd", 1, 0});
  if (config.content_filter.enabled) out.push_back({"filter", 1, 1});
  return out;
}

// Daemons read this copy of the checked configuration, so that one that dies while the admin's file is
// broken comes back with the running configuration.
std::string snapshot_file(const config::Config& config) { return config.paths.run + "/running.yaml"; }

ipc::Hello hello() {
  ipc::Hello out;
  out.name = "master";
  out.pid = static_cast<std::uint32_t>(::getpid());
  return out;
}

ipc::ControlReply refusal(const base::Error& error) { return {base::exit_code(error.kind), "", error.text}; }

void log_lines(std::string_view text, void (base::Log::*level)(std::string_view), std::string_view before) {
  for (const auto line : base::split(text, '\n')) (log().*level)(fmt::format("{}{}", before, line));
}

void log_warnings(const config::Config& config) {
  for (const auto& warning : config.warnings) log().warning(warning);
}

std::string needs_restart(const std::vector<config::Change>& changes) {
  std::string out;
  for (const auto& change : changes) {
    if (change.reload == config::Reload::kRestart) out += (out.empty() ? "" : ", ") + change.name;
  }
  return out;
}

int give_up(const base::Error& error) {
  for (const auto line : base::split(error.text, '\n')) std::fprintf(stderr, "master: %s\n", std::string(line).c_str());
  return base::exit_code(error.kind);
}

int say_good(const config::Config& config) {
  for (const auto& warning : config.warnings) std::fprintf(stderr, "master: warning: %s\n", warning.c_str());
  std::printf("%s: good\n", config.file.c_str());
  return 0;
}

}  // namespace

Master::Master(net::Loop& loop, config::Config config, Ground ground)
    : loop_(loop),
      config_(std::move(config)),
      ground_(std::move(ground)),
      children_(loop, roles(config_, ground_.web.wanted()), [this](const Child& child) { return plan(child); },
                {.all_ready = [this] { on_all_ready(); }, .all_gone = [this] { loop_.stop(); },
                 .gone = [this](const Child& child) { forget(child); },
                 .begun = [this](const Child& child) {
                   if (child.name == "webd") ground_.web.note(config_.paths.run, child.pid);
                 }}),
      control_(loop, config_.paths.run + "/master.sock", hello(), *this),
      events_(loop, config_.paths.run + "/alertd.sock", hello()),
      hangup_(loop, SIGHUP, [this] { reload(); }),
      terminate_(loop, SIGTERM, [this] { end(); }),
      interrupt_(loop, SIGINT, [this] { end(); }) {
  loop_.on_turn_end([] { log().flush(); });
}

base::Status Master::start() {
  if (auto written = write_snapshot(config_); !written) return written;
  if (auto listening = control_.start(); !listening) return listening;
  log().notice(fmt::format("starting, listening on {}", ground_.listeners.text()));
  if (!ground_.numbers.warning().empty()) log().warning(ground_.numbers.warning());
  if (!ground_.whom.warning.empty()) log().warning(ground_.whom.warning);
  if (!ground_.web.fault().empty()) log().warning(ground_.web.fault());
  log_warnings(config_);
  children_.begin();
  return {};
}

base::Status Master::write_snapshot(const config::Config& config) const {
  return base::replace_file(snapshot_file(config), config::show(config, config::Style::kSelfContained) +
                                                       config::show_web(ground_.web.settings(), config::Style::kSelfContained));
}

base::Result<Children::Plan> Master::plan(const Child& child) {
  Children::Plan out;
  out.program = fmt::format("{}/{}{}", ground_.programs, child.name == "filter" ? "holdfast-" : "", child.name);
  out.identity = ground_.whom.identity;
  out.arguments = {"--config", snapshot_file(config_),
                   "--worker", std::to_string(child.worker),
                   "--workers", std::to_string(child.workers)};
  if (child.name == "smtpd" || child.name == "qmgr") {  // those who write records
    const auto number = ground_.numbers.next();
    if (!number) return std::unexpected(number.error());
    out.arguments.insert(out.arguments.end(), {"--writer", std::to_string(*number)});
  }
  out.inherited = {ground_.instance.daemons_fd()};
  if (const int bag = bag_of(child.name); bag >= 0) {
    out.arguments.insert(out.arguments.end(), {"--files-fd", std::to_string(bag)});
    out.inherited.push_back(bag);
  }
  if (const auto page = tallies_.page_for(child.name, child.worker)) {
    out.arguments.insert(out.arguments.end(), {"--stats-fd", std::to_string(*page)});
    out.inherited.push_back(*page);
  } else {
    log().warning(fmt::format("{} runs uncounted: {}", child.label(), page.error().text));
  }
  if (child.name == "webd" && ground_.web.socket() >= 0) {
    out.arguments.insert(out.arguments.end(), {"--listen-fd", std::to_string(ground_.web.socket())});
    out.inherited.push_back(ground_.web.socket());
  }
  if (child.name == "smtpd") {
    out.arguments.insert(out.arguments.end(), {"--board-fd", std::to_string(ground_.board.get())});
    out.inherited.push_back(ground_.board.get());
    for (const int fd : ground_.listeners.fds()) {
      out.arguments.insert(out.arguments.end(), {"--listen-fd", std::to_string(fd)});
      out.inherited.push_back(fd);
    }
  }
  return out;
}

// What a dead smtpd has counted of clients would be held against them until it is back; and it has no room for any.
void Master::forget(const Child& child) {
  if (child.name == "webd") Web::forget(config_.paths.run);
  tallies_.ended(child.name, child.worker);
  if (child.name != "smtpd") return;
  const auto board = daemon::Board::open(ground_.board.get(), child.worker + 1);
  if (board) board->clear(child.worker);
}

int Master::bag_of(std::string_view daemon) const {
  return daemon == "webd" ? ground_.web.bag() : ground_.bags.of(daemon);
}

void Master::on_all_ready() {
  log().notice("ready");
  log().flush();
  std::printf("holdfast is ready: listening on %s\n", ground_.listeners.text().c_str());
  std::fflush(stdout);
  notify_ready("listening on " + ground_.listeners.text());
}

void Master::end() {
  if (children_.supervisor().stopping()) {
    log().warning("told to end a second time: killing what still runs");
    return children_.change([](Supervisor& s) { s.kill_all(); });
  }
  log().notice("ending");
  notify_stopping();
  ground_.listeners.become({}, {});  // smtpd closes its copies: new clients are refused, not left waiting
  children_.change([this](Supervisor& s) { s.stop(loop_.now()); });
}

ipc::ControlReply Master::reload() {
  if (children_.supervisor().stopping()) return refusal({Kind::kTemporary, "the gateway is ending"});
  if (auto reopened = log().reopen(); !reopened) log().warning(reopened.error().text);
  notify_reloading();
  auto fresh = config::load(config_.file, config::Files::kCheck);
  const base::Status done = fresh ? adopt(std::move(*fresh)) : std::unexpected(fresh.error());
  if (!done) log_lines(done.error().text, &base::Log::error, "configuration not reloaded: ");
  // In either case: the daemons reopen their logs, and read what is in force.
  children_.change([](Supervisor& s) { s.hangup(); });
  notify_ready("listening on " + ground_.listeners.text());
  if (!done) return refusal(done.error());
  return {0, R"({"reloaded":true})", ""};
}

// Nothing is changed unless all of it can be.
base::Status Master::adopt(config::Config fresh) {
  const auto changes = config::difference(config_, fresh);
  if (const std::string names = needs_restart(changes); !names.empty()) {
    return base::fail(Kind::kConfig, fmt::format("{}: a change of this needs a restart of the gateway", names));
  }
  auto bound = ground_.listeners.bind_missing(fresh.listen);
  if (!bound) return std::unexpected(bound.error());
  auto bags = Bags::pack(fresh);
  if (!bags) return std::unexpected(bags.error());
  auto web = ground_.web.read_again(fresh);
  if (!web) return std::unexpected(web.error());
  if (auto adopted = ground_.web.adopt(std::move(*web)); !adopted) return adopted;
  if (auto written = write_snapshot(fresh); !written) return written;
  const bool others = ground_.listeners.become(fresh.listen, std::move(*bound));
  config_ = std::move(fresh);
  ground_.bags = std::move(*bags);
  children_.send_files([this](std::string_view name) { return bag_of(name); });
  log().set_debug(config_.debug);
  for (const auto& c : changes) {
    log().notice(fmt::format("setting {}: {} -> {}", c.name, c.before.empty() ? "-" : c.before, c.after.empty() ? "-" : c.after));
  }
  log_warnings(config_);
  log().notice("configuration reloaded");
  if (others) {
    log().notice("listening on " + ground_.listeners.text());
    children_.send_listeners("smtpd", ground_.listeners.fds());
  }
  return {};
}

bool Master::on_message(ipc::Channel& from, const ipc::Incoming& message) {
  const auto question = message.as<ipc::Control>();
  if (!question) return false;
  // Numbers that tell nothing of anybody's mail: a daemon of ours may show them.
  const bool may = from.may_command() || question->command == "master.stats";
  from.send(may ? answer(*question) : ipc::refused_command());
  return true;
}

ipc::ControlReply Master::answer(const ipc::Control& question) {
  if (question.command == "master.status") return status();
  if (question.command == "master.stats") return statistics();
  log().notice(base::printable(fmt::format("{} {} by {}", question.command, fmt::join(question.words, " "), question.user)));
  if (question.command == "master.reload") return reload();
  if (question.command == "master.restart") return restart(question);
  if (question.command == "master.config_check") return check_answer(config_.file);
  if (question.command == "master.config_diff") return diff_answer(config_, ground_.web.settings());
  if (question.command == "master.writer") return writer_number();
  if (question.command == "master.log_level") return set_log_level(question);
  return refusal({Kind::kUsage, fmt::format("master knows no command '{}'", question.command)});
}

ipc::ControlReply Master::status() const {
  const auto board = daemon::Board::open(ground_.board.get(), 0);
  const auto clients = board ? board->sum(workers(config_.smtpd.workers)) : daemon::Gauges{};
  return {0, status_json(children_.supervisor(), ground_.listeners.text(), clients), ""};
}

ipc::ControlReply Master::statistics() const { return {0, stats::sums_json(tallies_.sums()), ""}; }

ipc::ControlReply Master::restart(const ipc::Control& question) {
  if (question.words.size() != 1) return refusal({Kind::kUsage, "master.restart needs the name of a daemon"});
  bool found = false;
  const std::string& name = question.words.front();
  children_.change([&](Supervisor& s) {
    if (name != "all") found = s.restart(name);
    for (const auto& role : roles(config_, ground_.web.wanted())) {
      if (name == "all") found = s.restart(role.name) || found;
    }
  });
  if (!found) return refusal({Kind::kNotFound, fmt::format("there is no daemon '{}'", question.words.front())});
  return {0, R"({"changed":1})", ""};
}

// For who writes records and is no child of ours: gatewayctl, when it imports.
ipc::ControlReply Master::writer_number() {
  const auto number = ground_.numbers.next();
  if (!number) return refusal(number.error());
  return {0, fmt::format("{{\"writer\":{}}}", *number), ""};
}

ipc::ControlReply Master::set_log_level(const ipc::Control& question) {
  const std::string level = question.words.size() == 1 ? question.words.front() : "";
  if (level != "debug" && level != "normal") return refusal({Kind::kUsage, "the log level is debug or normal"});
  config::Config fresh = config_;
  fresh.debug = level == "debug";
  if (auto written = write_snapshot(fresh); !written) return refusal(written.error());
  config_.debug = fresh.debug;
  log().set_debug(config_.debug);
  children_.change([](Supervisor& s) { s.hangup(); });
  return {0, R"({"changed":1})", ""};
}

int run(const std::string& config_file, bool check) {
  ::umask(027);
  auto config = config::load(config_file, config::Files::kCheck);
  if (!config) return give_up(config.error());
  if (check) return say_good(*config);
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  auto ground = prepare(*config);
  if (!ground) return give_up(ground.error());
  if (auto opened = log().open(config->paths.log + "/master.log", config->hostname, "master"); !opened) {
    return give_up(opened.error());
  }
  log().set_debug(config->debug);
  base::set_panic_hook([](std::string_view text) { log().error(text); });
  net::Loop loop;
  Master master(loop, std::move(*config), std::move(*ground));
  if (auto started = master.start(); !started) return give_up(started.error());
  loop.run();
  log().notice("ended");
  log().flush();
  return 0;
}

}  // namespace holdfast::master
