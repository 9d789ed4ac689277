#include "common/config/web.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/file.h"
#include "common/base/network.h"
#include "common/base/text.h"
#include "common/config/finish.h"
#include "common/config/values.h"
#include "common/net/tls.h"

namespace holdfast::config {
namespace {

std::string listen_fault(std::string_view text) {
  if (text == "off") return "";
  const auto address = parse_listen(text);
  return address ? "" : address.error().text + ", or off";
}

bool is_loopback(const std::string& host) {
  static const std::vector<base::Network> kLoopback{*base::Network::parse("127.0.0.0/8"), *base::Network::parse("::1")};
  const auto address = base::IpAddress::parse(host);
  return address && base::contains(kLoopback, *address);
}

void error_at(Draft& draft, const std::string& setting, std::string_view text) {
  const auto found = draft.places.find(setting);
  draft.faults.error(found == draft.places.end() ? Place{draft.config.file, 0} : found->second,
                     fmt::format("{}: {}", setting, text));
}

}  // namespace

// clang-format off
std::span<const Setting<Web>> web_settings() {
  static const std::vector<Setting<Web>> table{
    {{.name = "listen",
      .doc = "Where the dashboard, the REST interface and the metrics are: an address and a port, or `off`. An address that "
             "is not loopback needs `tls` and at least one user (`gatewayctl web user add`). If it is taken by somebody else "
             "the gateway starts without.",
      .check = listen_fault, .reload = Reload::kRestart},
     [](Web& w) -> Slot { return &w.listen; }},
    {{.name = "tls.certificate",
      .doc = "The certificate that browsers are shown, with those of its issuers behind it, as a PEM file. With it only "
             "HTTPS is spoken. Read again on a reload."},
     [](Web& w) -> Slot { return FileSlot{&w.tls.certificate}; }},
    {{.name = "tls.key", .doc = "Its private key, as a PEM file without a password. Master hands it over."},
     [](Web& w) -> Slot { return FileSlot{&w.tls.key}; }},
    {{.name = "session_idle", .doc = "Who does nothing that long has to log in again. What an open page asks by itself does not count.",
      .range = {60, 7 * 86400}},
     [](Web& w) -> Slot { return &w.session_idle; }},
    {{.name = "session_longest", .doc = "And after this in any case.", .range = {60, 30 * 86400}},
     [](Web& w) -> Slot { return &w.session_longest; }},
  };
  return table;
}
// clang-format on

std::optional<HostPort> Web::address() const {
  if (listen == "off") return std::nullopt;
  const auto parsed = parse_listen(listen);
  if (!parsed) return std::nullopt;
  return *parsed;
}

std::string web_folder(const Paths& paths) { return paths.state + "/web"; }
std::string allowed_senders_file(const Paths& paths) { return web_folder(paths) + "/allow-senders"; }
std::string web_users_file(const Paths& paths) { return web_folder(paths) + "/users.json"; }

void finish_web(Draft& draft) {
  const Web& web = draft.web;
  if (web.tls.certificate.empty() != web.tls.key.empty()) {
    const bool has = !web.tls.certificate.empty();
    error_at(draft, has ? "web.tls.certificate" : "web.tls.key", has ? "needs web.tls.key too" : "needs web.tls.certificate too");
  }
  const auto address = web.address();
  if (address && !is_loopback(address->host) && web.tls.certificate.empty()) {
    error_at(draft, "web.listen", "an address that is not loopback needs web.tls.certificate and web.tls.key");
  }
}

void check_web_files(Draft& draft) {
  const Web& web = draft.web;
  if (!web.tls.certificate.empty() && !web.tls.key.empty()) {
    if (const auto fault = net::fault_of({web.tls.certificate, web.tls.key}); !fault.empty()) error_at(draft, "web.tls.key", fault);
  }
  const auto address = web.address();
  if (!address || is_loopback(address->host)) return;
  const auto users = base::read_file(web_users_file(draft.config.paths));
  if (!users || users->find("\"password\"") == users->npos) {
    error_at(draft, "web.listen", "an address that is not loopback needs a user: gatewayctl web user add NAME --role admin");
  }
}

}  // namespace holdfast::config
