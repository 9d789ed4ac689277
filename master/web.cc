#include "master/web.h"

#include <cstdio>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "common/base/log.h"
#include "common/config/load.h"
#include "common/config/show.h"
#include "common/daemon/file_bag.h"
#include "common/ipc/peer.h"
#include "master/listeners.h"

namespace holdfast::master {
namespace {

using nlohmann::json;

base::Result<base::UniqueFd> pack(const config::Web& web) {
  if (web.tls.certificate.empty()) return daemon::pack_files({});
  return daemon::pack_files({web.tls.certificate, web.tls.key});
}

std::string text_of(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

base::Result<Web> Web::prepare(const config::Config& config) {
  Web out;
  auto settings = config::load_web(config.file);
  if (!settings) return std::unexpected(settings.error());
  out.settings_ = std::move(*settings);
  auto bag = pack(out.settings_);
  if (!bag) return std::unexpected(bag.error());
  out.bag_ = std::move(*bag);
  const auto address = out.settings_.address();
  if (!address) return out;
  auto bound = Listeners().bind_missing({*address});
  if (bound) {
    out.socket_ = std::move(bound->front().fd);
  } else {
    out.fault_ = fmt::format("the web is not served: {}", bound.error().text);
  }
  return out;
}

base::Result<config::Web> Web::read_again(const config::Config& fresh) const {
  auto settings = config::load_web(fresh.file);
  if (!settings) return settings;
  for (const auto& change : config::web_difference(settings_, *settings)) {
    if (change.reload == config::Reload::kRestart) {
      return base::fail(base::Kind::kConfig, fmt::format("{}: a change of this needs a restart of the gateway", change.name));
    }
  }
  return settings;
}

base::Status Web::adopt(config::Web fresh) {
  auto bag = pack(fresh);
  if (!bag) return std::unexpected(bag.error());
  bag_ = std::move(*bag);
  settings_ = std::move(fresh);
  return {};
}

void Web::note(const std::string& run_folder, pid_t pid) const {
  const auto done = base::replace_file(ipc::web_mark(run_folder), fmt::format("{}\n", pid), 0644);
  if (!done) base::log().error("webd cannot be made known: " + done.error().text);
}

void Web::forget(const std::string& run_folder) { ::unlink(ipc::web_mark(run_folder).c_str()); }

ipc::ControlReply check_answer(const std::string& file) {
  const auto config = config::load(file, config::Files::kCheck);
  json out{{"good", config.has_value()}, {"warnings", json::array()}};
  if (config) out["warnings"] = config->warnings;
  if (!config) out["error"] = config.error().text;
  return {0, text_of(out), ""};
}

ipc::ControlReply diff_answer(const config::Config& running, const config::Web& running_web) {
  const auto fresh = config::load(running.file, config::Files::kCheck);
  if (!fresh) return {base::exit_code(fresh.error().kind), "", fresh.error().text};
  const auto web = config::load_web(running.file);
  if (!web) return {base::exit_code(web.error().kind), "", web.error().text};
  auto changes = config::difference(running, *fresh);
  const auto others = config::web_difference(running_web, *web);
  changes.insert(changes.end(), others.begin(), others.end());
  json list = json::array();
  for (const auto& c : changes) {
    list.push_back({{"name", c.name}, {"before", c.before}, {"after", c.after},
                    {"needs_restart", c.reload == config::Reload::kRestart}});
  }
  return {0, text_of({{"changes", list}}), ""};
}

}  // namespace holdfast::master
