#include "common/config/security.h"

#include <set>

#include <fmt/core.h>
#include <pwd.h>

#include "common/base/handed_files.h"
#include "common/base/text.h"
#include "common/config/compile_lists.h"
#include "common/net/tls.h"

namespace holdfast::config {
namespace {

void error_at(Draft& draft, const std::string& setting, std::string_view text) {
  draft.faults.error(draft.places[setting], fmt::format("{}: {}", setting, text));
}

// `first` without `second` is half of something; either may be the one that is there.
void both_or_none(Draft& draft, const std::string& first, bool has_first, const std::string& second, bool has_second) {
  if (has_first == has_second) return;
  error_at(draft, has_first ? first : second, fmt::format("needs {} too", has_first ? second : first));
}

void both_files(Draft& draft, const std::string& prefix, const KeyFiles& files) {
  both_or_none(draft, prefix + "tls.certificate", !files.certificate.empty(), prefix + "tls.key", !files.key.empty());
}

// `prefix` is the owner's: "destinations.office.", "bounces.".
void finish_road(Draft& draft, const std::string& prefix, const Destination& road) {
  const DestinationTls& tls = road.tls;
  both_files(draft, prefix, tls.own);
  if (tls.policy == "pin" && tls.pins.empty()) error_at(draft, prefix + "tls.policy", fmt::format("'pin' needs {}tls.pins", prefix));
  if (tls.policy != "pin" && !tls.pins.empty()) error_at(draft, prefix + "tls.pins", fmt::format("needs {}tls.policy: pin", prefix));
  if (tls.policy != "verify" && !tls.ca_file.empty()) {
    error_at(draft, prefix + "tls.ca_file", fmt::format("needs {}tls.policy: verify", prefix));
  }
  both_or_none(draft, prefix + "auth.user", !road.auth.user.empty(), prefix + "auth.password_file",
               !road.auth.password_file.empty());
  if (!road.auth.user.empty() && tls.policy == "off" && !road.auth.plaintext) {
    error_at(draft, prefix + "auth.user", fmt::format("{0}tls.policy is 'off': the password would go in the clear, which only "
                                                      "{0}auth.plaintext: allow permits", prefix));
  }
}

void check_pair(Draft& draft, const std::string& setting, const Place& place, const KeyFiles& files) {
  if (files.certificate.empty() || files.key.empty()) return;
  if (const auto fault = net::fault_of({files.certificate, files.key}); !fault.empty()) {
    draft.faults.error(place, fmt::format("{}: {}", setting, fault));
  }
}

void check_road(Draft& draft, const std::string& prefix, const Destination& road) {
  check_pair(draft, prefix + "tls.key", draft.places[prefix + "tls.key"], road.tls.own);
  if (!road.tls.ca_file.empty()) {
    if (const auto fault = net::fault_of_ca_file(road.tls.ca_file); !fault.empty()) error_at(draft, prefix + "tls.ca_file", fault);
  }
  if (road.auth.password_file.empty()) return;
  if (const auto password = read_password(road.auth); !password) {
    error_at(draft, prefix + "auth.password_file", password.error().text);
  }
}

void check_anchors(Draft& draft) {
  const std::string& file = draft.config.trust_anchors;
  if (file.empty() || file == "off") return;
  const auto text = base::read_handed(file, 1 << 20);
  if (!text) return error_at(draft, "dns.trust_anchors", text.error().text);
  if (text->find("DS") == text->npos && text->find("DNSKEY") == text->npos) {
    error_at(draft, "dns.trust_anchors", file + ": neither DS nor DNSKEY records in it");
  }
}

template <class Deed>
void each_road(Draft& draft, Deed deed) {
  for (const auto& [name, destination] : draft.config.destinations) deed(draft, fmt::format("destinations.{}.", name), destination);
  deed(draft, "bounces.", draft.config.bounce_road);
}

}  // namespace

std::set<std::string> certificate_files(const Config& config) {
  std::set<std::string> out{config.tls.own.certificate, config.bounce_road.tls.own.certificate};
  for (const auto& [name, files] : config.tls.names) out.insert(files.certificate);
  for (const auto& [name, destination] : config.destinations) out.insert(destination.tls.own.certificate);
  out.erase("");
  return out;
}

namespace {

void add_roads(const Config& config, std::set<std::string>& out) {
  const auto add = [&](const Destination& road) {
    out.insert({road.tls.ca_file, road.tls.own.certificate, road.tls.own.key, road.auth.password_file});
  };
  for (const auto& [name, destination] : config.destinations) add(destination);
  add(config.bounce_road);
  if (config.trust_anchors != "off") out.insert(config.trust_anchors);
}

void add_alert_roads(const Alerts& alerts, std::set<std::string>& out) {
  out.insert({alerts.auth.password_file, alerts.ca_file});
  for (const auto& hook : alerts.webhooks) out.insert({hook.token_file, hook.ca_file});
}

}  // namespace

std::vector<std::string> secret_files(const Config& config, Reader reader) {
  std::set<std::string> out;
  if (reader == Reader::kAlertd) {
    out = certificate_files(config);
    add_alert_roads(config.alerts, out);
  } else {
    add_roads(config, out);
  }
  if (reader == Reader::kSmtpd) {
    out.insert({config.tls.own.certificate, config.tls.own.key});
    for (const auto& [name, files] : config.tls.names) out.insert({files.certificate, files.key});
    for (const auto& file : list_files(config.lists)) out.insert(file);
  }
  out.erase("");
  return {out.begin(), out.end()};
}

Config without_secrets(Config config) {
  const std::string hidden = "[hidden]";
  for (auto& hook : config.alerts.webhooks) {
    hook.url = hidden;
    if (!hook.body.empty()) hook.body = hidden;
    for (auto& header : hook.headers) header = header.substr(0, header.find(':')) + ": " + hidden;
  }
  auto& command = config.alerts.command;
  if (command.size() > 1) command = {command.front(), hidden};
  return config;
}

base::Result<std::string> read_password(const Auth& auth) {
  constexpr std::size_t kLongest = 1024;
  const auto text = base::read_handed(auth.password_file, 64 << 10);
  if (!text) return std::unexpected(text.error());
  const std::string line(base::trim(std::string_view(*text).substr(0, text->find('\n'))));
  if (line.empty()) return base::fail(base::Kind::kConfig, auth.password_file + ": no password in its first line");
  if (line.size() > kLongest || line.find('\0') != line.npos) {
    return base::fail(base::Kind::kConfig, auth.password_file + ": its first line is no password");
  }
  return line;
}

void finish_security(Draft& draft) {
  const Config& config = draft.config;
  both_files(draft, "", config.tls.own);
  if (config.tls.own.certificate.empty()) {
    if (!config.tls.names.empty()) error_at(draft, "tls.names", "needs tls.certificate, for all other clients");
    if (config.smtpd.tls_required) error_at(draft, "smtpd.tls_required", "needs tls.certificate");
  }
  each_road(draft, finish_road);
}

namespace {

// The default's need not exist: master says what it does without it.
void check_account(Draft& draft) {
  if (!draft.places.contains("user") || ::getpwnam(draft.config.user.c_str()) != nullptr) return;
  error_at(draft, "user", fmt::format("there is no account '{}'", draft.config.user));
}

}  // namespace

void check_security_files(Draft& draft) {
  check_account(draft);
  check_pair(draft, "tls.key", draft.places["tls.key"], draft.config.tls.own);
  const auto& places = draft.item_places["tls.names"];
  for (const auto& [name, files] : draft.config.tls.names) {
    const Place place = places.empty() ? Place{draft.config.file, 0} : places.front();
    check_pair(draft, fmt::format("tls.names: {}", name), place, files);
  }
  each_road(draft, check_road);
  check_anchors(draft);
}

}  // namespace holdfast::config
