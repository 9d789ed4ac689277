#include "common/milter/macros.h"

#include <array>
#include <utility>

#include "common/milter/packet.h"

namespace holdfast::milter {

namespace {

constexpr std::array<std::string_view, kStages> kUsual{
    "_ j v {client_addr} {client_name} {client_port} {client_ptr} {daemon_addr} {daemon_name} {daemon_port} {if_addr} {if_name}",
    "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
    "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    "i",
    "i",
    "i",
    "i",
    "i",
};

void append(std::string& data, std::string_view name, const Macros& macros) {
  const std::string* value = macros.find(name);
  if (value == nullptr) return;
  append_text(data, name);
  append_text(data, *value);
}

}  // namespace

void Macros::set(std::string_view name, std::string value) {
  if (value.empty()) {
    if (const auto found = values_.find(name); found != values_.end()) values_.erase(found);
  } else {
    values_.insert_or_assign(std::string(name), std::move(value));
  }
}

const std::string* Macros::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

std::string macros_for(Stage stage, const Macros& macros, const Terms& terms) {
  std::string data;
  if (const auto& asked = terms.macros[std::to_underlying(stage)]) {
    for (const auto& name : *asked) append(data, name, macros);
  } else {
    std::string_view list = kUsual[std::to_underlying(stage)];
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(' '), list.size());
      append(data, list.substr(0, end), macros);
      list.remove_prefix(std::min(end + 1, list.size()));
    }
  }
  return data;
}

}  // namespace holdfast::milter
