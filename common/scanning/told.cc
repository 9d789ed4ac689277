#include "common/scanning/told.h"

#include <fmt/core.h>

namespace holdfast::scanning {
namespace {

// Of "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)".
void tell_tls(milter::Macros& macros, std::string_view tls) {
  constexpr std::string_view kWith = " with cipher ";
  const auto with = tls.find(kWith);
  if (with == tls.npos) return;
  macros.set("{tls_version}", std::string(tls.substr(0, with)));
  const auto rest = tls.substr(with + kWith.size());
  const auto blank = rest.find(" (");
  macros.set("{cipher}", std::string(rest.substr(0, blank)));
  if (blank == rest.npos) return;
  const auto bits = rest.substr(blank + 2);
  macros.set("{cipher_bits}", std::string(bits.substr(0, bits.find('/'))));
}

void tell_listener(milter::Macros& macros, std::string_view listener) {
  const auto colon = listener.rfind(':');
  if (colon == listener.npos) return;
  auto host = listener.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  macros.set("{daemon_addr}", std::string(host));
  macros.set("{daemon_port}", std::string(listener.substr(colon + 1)));
}

}  // namespace

void tell_visit(milter::Macros& macros, const Visit& visit) {
  const std::string name(visit.name.empty() ? "unknown" : visit.name);
  macros.set("j", std::string(visit.hostname));
  macros.set("v", "Holdfast");
  macros.set("{daemon_name}", std::string(visit.hostname));
  tell_listener(macros, visit.listener);
  macros.set("_", fmt::format("{} {}", name, visit.literal));
  macros.set("{client_addr}", std::string(visit.address));
  macros.set("{client_name}", name);
  macros.set("{client_ptr}", name);
  macros.set("{client_port}", fmt::format("{}", visit.port));
  tell_tls(macros, visit.tls);
}

void tell_mail(milter::Macros& macros, std::string_view id, std::string_view sender) {
  macros.set("i", std::string(id));
  macros.set("{mail_addr}", std::string(sender));
  macros.set("{mail_host}", std::string(sender.substr(sender.rfind('@') + 1)));
  macros.set("{mail_mailer}", "smtp");
}

void tell_recipient(milter::Macros& macros, std::string_view recipient, std::string_view domain) {
  macros.set("{rcpt_addr}", std::string(recipient));
  macros.set("{rcpt_host}", std::string(domain));
  macros.set("{rcpt_mailer}", "smtp");
}

}  // namespace holdfast::scanning
