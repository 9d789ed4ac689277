#include "common/config/alerts.h"

#include <algorithm>
#include <cerrno>

#include <fmt/core.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/config/security.h"
#include "common/config/values.h"
#include "common/net/tls.h"

namespace holdfast::config {
namespace {

void error_at(Draft& draft, const std::string& setting, std::string_view text) {
  draft.faults.error(draft.places[setting], fmt::format("{}: {}", setting, text));
}

bool loopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

// The same machine, and so down at the same time; on this host several servers may stand side by side.
bool same_machine(const HostPort& a, const HostPort& b) { return loopback(a.host) ? a == b : base::iequals(a.host, b.host); }

bool ourselves(const Config& config, const HostPort& relay) {
  if (base::iequals(relay.host, config.hostname)) return true;
  return std::ranges::any_of(config.listen, [&](const HostPort& l) {
    const bool here = relay.host == l.host || (loopback(relay.host) && (l.host == "0.0.0.0" || l.host == "::"));
    return here && relay.port == l.port;
  });
}

void check_relay(Draft& draft, const HostPort& relay) {
  const Config& config = draft.config;
  if (ourselves(config, relay)) {
    error_at(draft, "alerts.mail.relays", fmt::format("{} is this gateway itself: an alert must not depend on it", relay.text()));
  }
  for (const auto& [name, destination] : config.destinations) {
    const auto server = std::ranges::find_if(destination.servers, [&](const HostPort& s) { return same_machine(relay, s); });
    if (server == destination.servers.end()) continue;
    error_at(draft, "alerts.mail.relays", fmt::format("{} is a server of destination '{}': when it is down nobody would hear of it",
                                                      relay.text(), name));
  }
}

void warn_of_own_domain(Draft& draft, const std::string& setting, std::string_view address) {
  const auto* domain = draft.config.find_domain(address.substr(address.rfind('@') + 1));
  if (domain == nullptr) return;
  draft.faults.warning(draft.places[setting], fmt::format("{}: {} is in a domain of ours: what tells of destination '{}' being down "
                                                          "would wait for it", setting, address, domain->destination));
}

void finish_login(Draft& draft) {
  const Alerts& alerts = draft.config.alerts;
  const bool user = !alerts.auth.user.empty(), file = !alerts.auth.password_file.empty();
  if (user && !file) error_at(draft, "alerts.mail.auth.user", "needs alerts.mail.auth.password_file too");
  if (file && !user) error_at(draft, "alerts.mail.auth.password_file", "needs alerts.mail.auth.user too");
  if (user && alerts.tls != "encrypt" && alerts.tls != "verify") {
    error_at(draft, "alerts.mail.auth.user", fmt::format("the password could go in the clear with alerts.mail.tls.policy: {}", alerts.tls));
  }
  if (!alerts.ca_file.empty() && alerts.tls != "verify") {
    error_at(draft, "alerts.mail.tls.ca_file", "needs alerts.mail.tls.policy: verify");
  }
}

void finish_mail(Draft& draft) {
  const Alerts& alerts = draft.config.alerts;
  if (!alerts.to.empty() && alerts.relays.empty()) error_at(draft, "alerts.mail.to", "needs alerts.mail.relays too");
  if (alerts.to.empty() && alerts.report.to.empty() && !alerts.relays.empty()) {
    error_at(draft, "alerts.mail.relays", "needs alerts.mail.to too, or alerts.report.to");
  }
  for (const auto& relay : alerts.relays) check_relay(draft, relay);
  for (const auto& address : alerts.to) warn_of_own_domain(draft, "alerts.mail.to", address);
  if (!alerts.from.empty()) warn_of_own_domain(draft, "alerts.mail.from", alerts.from);
  finish_login(draft);
}

void check_secret(Draft& draft, const std::string& setting, const std::string& file) {
  if (file.empty()) return;
  if (const auto secret = read_password({.user = "", .password_file = file}); !secret) error_at(draft, setting, secret.error().text);
}

void check_cas(Draft& draft, const std::string& setting, const std::string& file) {
  if (file.empty()) return;
  if (const auto fault = net::fault_of_ca_file(file); !fault.empty()) error_at(draft, setting, fault);
}

// The figures are webd's, and only mail carries them.
void finish_report(Draft& draft) {
  const Alerts& alerts = draft.config.alerts;
  for (const auto& address : alerts.report.to) warn_of_own_domain(draft, "alerts.report.to", address);
  if (!alerts.report.to.empty() && alerts.relays.empty()) error_at(draft, "alerts.report.to", "needs alerts.mail.relays too");
  if (alerts.report.every == "off") return;
  if (alerts.report.to.empty() && alerts.to.empty()) {
    error_at(draft, "alerts.report.every", "needs alerts.report.to or alerts.mail.to too");
  }
  if (!draft.web.address()) error_at(draft, "alerts.report.every", "needs web.listen, which is off: the figures are those that webd keeps");
}

}  // namespace

void finish_alerts(Draft& draft) {
  const Alerts& alerts = draft.config.alerts;
  finish_mail(draft);
  finish_report(draft);
  if (!alerts.command.empty() && !alerts.command.front().starts_with('/')) {
    error_at(draft, "alerts.command", fmt::format("'{}' must be an absolute path", alerts.command.front()));
  }
}

void check_alert_files(Draft& draft) {
  const Alerts& alerts = draft.config.alerts;
  if (!alerts.has_road() && !draft.config.destinations.empty()) {
    draft.faults.warning({draft.config.file, 0}, "alerts: no mail, webhook or command is set: nobody is told when a destination is down");
  }
  check_secret(draft, "alerts.mail.auth.password_file", alerts.auth.password_file);
  check_cas(draft, "alerts.mail.tls.ca_file", alerts.ca_file);
  for (const auto& hook : alerts.webhooks) {
    check_secret(draft, "alerts.webhooks", hook.token_file);
    check_cas(draft, "alerts.webhooks", hook.ca_file);
  }
  if (!alerts.command.empty() && ::access(alerts.command.front().c_str(), X_OK) != 0) {
    error_at(draft, "alerts.command", base::fail_errno(alerts.command.front(), errno).error().text);
  }
}

}  // namespace holdfast::config
