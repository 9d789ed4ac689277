#include "smtpd/certificates.h"

#include <map>

#include <fmt/core.h>

#include "common/base/log.h"

namespace holdfast::smtpd {

std::shared_ptr<const net::TlsServer> certificates(const config::Tls& tls, std::shared_ptr<const net::TlsServer> before) {
  if (tls.own.certificate.empty()) return nullptr;
  std::map<std::string, net::KeyPair> names;
  for (const auto& [name, files] : tls.names) names[name] = {files.certificate, files.key};
  auto made = net::TlsServer::make({tls.own.certificate, tls.own.key}, names);
  if (made) return *made;
  base::log().error(fmt::format("the certificate cannot be used: {}; {}", made.error().text,
                                before ? "the one before it stays" : "STARTTLS is not offered"));
  return before;
}

}  // namespace holdfast::smtpd
