#include "common/destination/security.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/handed_files.h"
#include "common/base/log.h"
#include "common/config/security.h"

namespace holdfast::destination {
namespace {

using upstream::Security;

net::TlsClient::Options options_of(const config::DestinationTls& tls) {
  using Trust = net::TlsClient::Trust;
  return {.trust = tls.policy == "verify" ? Trust::kVerify : tls.policy == "pin" ? Trust::kPin : Trust::kAny,
          .ca_file = tls.ca_file,
          .pins = tls.pins,
          .own = {tls.own.certificate, tls.own.key}};
}

void set_tls(Security& out, const config::DestinationTls& tls, const std::string& destination) {
  out.name = tls.name;
  out.tls = tls.policy == "off" ? Security::Tls::kOff : tls.policy == "may" ? Security::Tls::kMay : Security::Tls::kMust;
  if (out.tls == Security::Tls::kOff) return;
  auto client = net::TlsClient::make(options_of(tls));
  if (!client) {
    base::log().error(fmt::format("destination {}: TLS cannot be set up: {}", destination, client.error().text));
    if (out.tls == Security::Tls::kMust) {
      out.fault = client.error().text;
      return;
    }
    client = net::TlsClient::make({});
  } else {
    out.own = {tls.own.certificate, tls.own.key};
  }
  out.client = *client;
}

// A certificate of our own that cannot be read now (it is being renewed) is no reason not to verify the server.
base::Result<std::shared_ptr<const net::TlsClient>> dane_client(const net::KeyPair& own, const dns::MailServer& server,
                                                                const std::string& domain) {
  net::TlsClient::Options options{
      .trust = net::TlsClient::Trust::kDane, .own = own, .tlsa = server.dane.records, .names = {server.host, domain}};
  auto client = net::TlsClient::make(options);
  if (client || own == net::KeyPair{}) return client;
  base::log().warning(fmt::format("{}: our certificate is not shown: {}", server.host, client.error().text));
  options.own = {};
  return net::TlsClient::make(options);
}

void set_auth(Security& out, const config::Auth& auth, const std::string& destination) {
  if (auth.user.empty()) return;
  out.user = auth.user;
  out.plaintext = auth.plaintext;
  auto password = config::read_password(auth);
  if (password) {
    out.password = std::move(*password);
  } else {
    base::log().error(fmt::format("destination {}: {}", destination, password.error().text));
    out.fault = password.error().text;
  }
}

}  // namespace

bool wants_dane(const config::Destination& destination) {
  return destination.mx && destination.tls.dane && destination.tls.policy != "off" && destination.tls.policy != "pin";
}

std::shared_ptr<const Security> dane_security(const std::shared_ptr<const Security>& usual, const dns::MailServer& server,
                                              const std::string& domain) {
  using Rule = dns::Dane::Rule;
  if (server.dane.rule == Rule::kNone) return nullptr;
  auto out = usual ? std::make_shared<Security>(*usual) : std::make_shared<Security>();
  out->tls = Security::Tls::kMust;
  if (server.dane.rule == Rule::kVerify) {
    auto client = dane_client(out->own, server, domain);
    if (client) {
      out->client = *client;
      out->name = server.dane.base;
      return out;
    }
    base::log().notice(fmt::format("TLSA of {}: {}", server.dane.base, client.error().text));
  }
  // No record that can be used asks for encryption; it takes nothing from a policy that asks for more.
  if (out->client == nullptr) out->client = *net::TlsClient::make({});
  return out;
}

std::string security_origin(const config::Destination& destination) {
  const auto& tls = destination.tls;
  const auto& auth = destination.auth;
  std::string out = fmt::format("{}\n{}\n{}\n{}\n{}\n", tls.policy, tls.name, fmt::join(tls.pins, " "), auth.user, auth.plaintext);
  for (const auto& file : {tls.ca_file, tls.own.certificate, tls.own.key, auth.password_file}) {
    if (!file.empty()) out += file + "\n" + base::read_handed(file).value_or("") + "\n";
  }
  return out;
}

std::shared_ptr<const Security> security_of(const config::Destination& destination) {
  if (destination.tls.policy == "off" && destination.auth.user.empty()) return nullptr;
  auto out = std::make_shared<Security>();
  out->origin = security_origin(destination);
  set_tls(*out, destination.tls, destination.name);
  set_auth(*out, destination.auth, destination.name);
  return out;
}

}  // namespace holdfast::destination
