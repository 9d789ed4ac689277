#include "common/admin/gateway.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <pwd.h>
#include <unistd.h>

#include "common/config/load.h"
#include "common/ipc/channel.h"

namespace holdfast::admin {
namespace {

// A daemon that is busy answers late; one that hangs must not hang us.
constexpr base::Seconds kQuick{2};

std::string user_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::getuid());
}

base::Result<config::Config> running_configuration(const std::string& file) {
  const auto paths = config::load_paths(file);
  if (!paths) return std::unexpected(paths.error());
  return config::load_alone(paths->run + "/running.yaml");
}

}  // namespace

base::Kind kind_of(int exit) {
  using base::Kind;
  for (const Kind kind : {Kind::kUsage, Kind::kData, Kind::kNotFound, Kind::kUnavailable, Kind::kTemporary,
                          Kind::kPermission, Kind::kConfig}) {
    if (base::exit_code(kind) == exit) return kind;
  }
  return Kind::kInternal;
}

Stores::Stores(std::string spool, std::string state, std::uint64_t index_map_bytes, std::string mark)
    : spool_(std::move(spool)), index_map_bytes_(index_map_bytes), mark_(std::move(mark)), directory_(std::move(state)) {}

base::Status Stores::read_queue(const std::function<void(const storage::QueueIndex&, const storage::Txn&)>& questions) {
  const std::lock_guard lock(queue_door_);
  if (mark_.found() && base::mono_now() - made_ < kAfraid) {
    return base::fail(base::Kind::kUnavailable,
                      "the queue's index may be damaged: whoever read it last has ended. See gatewayctl queue check");
  }
  const storage::ReadingMark::Hold hold(mark_);
  return index_.read(spool_, index_map_bytes_, questions);
}

base::Status Stores::read(const std::function<void(const storage::Directory&, const storage::Txn&)>& questions) {
  const std::lock_guard lock(directory_door_);
  return directory_.read(questions);
}

std::optional<storage::DestinationRow> Stores::destination(std::string_view name) {
  const std::lock_guard lock(directory_door_);
  return directory_.destination(name);
}

std::optional<storage::DomainRow> Stores::domain(std::string_view name) {
  const std::lock_guard lock(directory_door_);
  return directory_.domain(name);
}

std::optional<storage::RecipientRow> Stores::recipient(std::string_view key) {
  const std::lock_guard lock(directory_door_);
  return directory_.recipient(key);
}

Gateway::Gateway(config::ConfigPtr config, std::shared_ptr<Stores> stores, std::string user)
    : config_(std::move(config)), stores_(std::move(stores)), user_(std::move(user)) {
  if (stores_ != nullptr) return;
  const auto& paths = config_->paths;
  stores_ = std::make_shared<Stores>(paths.spool, paths.state, config_->index_map_size);
}

base::Result<Gateway> Gateway::open(const std::string& config_file) {
  auto loaded = config::load(config_file);
  const auto with = [](config::Config&& config) {
    return Gateway(std::make_shared<const config::Config>(std::move(config)), nullptr, user_name());
  };
  if (loaded) return with(std::move(*loaded));
  auto running = running_configuration(config_file);
  if (!running) return std::unexpected(loaded.error());
  auto out = with(std::move(*running));
  out.warning_ = fmt::format("{} is faulty (see gatewayctl config check): this is the running one", config_file);
  return out;
}

base::Result<ipc::ControlReply> Gateway::ask_all(const std::string& daemon, const std::string& command,
                                       const std::vector<std::string>& words, base::Seconds timeout) const {
  const std::string path = fmt::format("{}/{}.sock", config_->paths.run, daemon);
  const auto reply = ipc::ask(path, {.command = command, .words = words, .user = user_}, timeout);
  if (!reply) return base::fail(reply.error().kind, fmt::format("{} does not answer: {}", daemon, reply.error().text));
  return *reply;
}

base::Result<std::string> Gateway::ask(const std::string& daemon, const std::string& command,
                                       const std::vector<std::string>& words, base::Seconds timeout) const {
  auto reply = ask_all(daemon, command, words, timeout);
  if (!reply) return std::unexpected(reply.error());
  if (reply->exit != 0) return base::fail(kind_of(reply->exit), reply->text);
  return std::move(reply->json);
}

std::optional<std::string> Gateway::qmgr_status() const {
  auto answer = ask("qmgr", "qmgr.status", {}, kQuick);
  if (!answer) return std::nullopt;
  return std::move(*answer);
}

std::optional<std::set<mail::QueueId>> Gateway::active() const {
  const auto status = qmgr_status();
  return status ? active_in(*status) : std::nullopt;
}

std::optional<std::set<mail::QueueId>> active_in(const std::string& qmgr_status) {
  const auto json = nlohmann::json::parse(qmgr_status, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto list = json.find("active");
  if (list == json.end() || !list->is_array()) return std::nullopt;
  std::set<mail::QueueId> out;
  for (const auto& item : *list) {
    const auto id = item.is_string() ? mail::QueueId::parse(item.get<std::string>()) : std::nullopt;
    if (id) out.insert(*id);
  }
  return out;
}

}  // namespace holdfast::admin
