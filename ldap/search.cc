#include "ldap/search.h"

#include <memory>
#include <set>

#include <fmt/core.h>
#include <ldap.h>

namespace holdfast::ldap {
namespace {

using base::Kind;

base::Error fault(const std::string& what, int code) {
  Kind kind = Kind::kUnavailable;
  if (code == LDAP_INVALID_CREDENTIALS || code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_INAPPROPRIATE_AUTH) kind = Kind::kPermission;
  if (code == LDAP_FILTER_ERROR || code == LDAP_PARAM_ERROR || code == LDAP_INVALID_DN_SYNTAX) kind = Kind::kUsage;
  if (code == LDAP_NO_SUCH_OBJECT) kind = Kind::kNotFound;
  return {kind, fmt::format("{}: {}", what, ::ldap_err2string(code))};
}

struct Unbind {
  void operator()(LDAP* connection) const { ::ldap_unbind_ext_s(connection, nullptr, nullptr); }
};
using Connection = std::unique_ptr<LDAP, Unbind>;

int set_up(LDAP* connection, const Wishes& wishes) {
  const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND, client = 0;
  const timeval wait{wishes.timeout_seconds, 0};
  int code = ::ldap_set_option(connection, LDAP_OPT_PROTOCOL_VERSION, &version);
  // Entries elsewhere would be asked of servers that nobody has named here.
  if (code == 0) code = ::ldap_set_option(connection, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
  if (code == 0) code = ::ldap_set_option(connection, LDAP_OPT_NETWORK_TIMEOUT, &wait);
  if (code == 0) code = ::ldap_set_option(connection, LDAP_OPT_TIMEOUT, &wait);
  if (code == 0) code = ::ldap_set_option(connection, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
  if (code == 0 && !wishes.ca_file.empty()) code = ::ldap_set_option(connection, LDAP_OPT_X_TLS_CACERTFILE, wishes.ca_file.c_str());
  if (code == 0) code = ::ldap_set_option(connection, LDAP_OPT_X_TLS_NEWCTX, &client);
  return code;
}

base::Result<Connection> connect(const Wishes& wishes) {
  LDAP* raw = nullptr;
  if (const int code = ::ldap_initialize(&raw, wishes.uri.c_str()); code != 0) return std::unexpected(fault(wishes.uri, code));
  Connection out(raw);
  if (const int code = set_up(raw, wishes); code != 0) return std::unexpected(fault("setting up", code));
  if (wishes.starttls) {
    if (const int code = ::ldap_start_tls_s(raw, nullptr, nullptr); code != 0) return std::unexpected(fault("STARTTLS", code));
  }
  std::string password = wishes.password;
  berval secret{password.size(), password.data()};
  const int code = ::ldap_sasl_bind_s(raw, wishes.bind.empty() ? nullptr : wishes.bind.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, nullptr);
  if (code != 0) return std::unexpected(fault(wishes.bind.empty() ? wishes.uri : "bind as " + wishes.bind, code));
  return out;
}

struct FreeMessage {
  void operator()(LDAPMessage* message) const { ::ldap_msgfree(message); }
};
using Message = std::unique_ptr<LDAPMessage, FreeMessage>;

// One page after the other (RFC 2696).
class Pages {
 public:
  Pages(LDAP* connection, const Wishes& wishes) : connection_(connection), wishes_(wishes) {
    for (const auto& name : wishes.attributes) attributes_.push_back(const_cast<char*>(name.c_str()));
    attributes_.push_back(nullptr);
  }
  ~Pages() { ::ber_memfree(cookie_.bv_val); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  base::Result<Message> next() {
    LDAPControl* control = nullptr;
    if (const int code = ::ldap_create_page_control(connection_, wishes_.page, &cookie_, 0, &control); code != 0) return std::unexpected(fault("paging", code));
    LDAPControl* controls[] = {control, nullptr};
    LDAPMessage* raw = nullptr;
    timeval wait{wishes_.timeout_seconds, 0};
    const int code = ::ldap_search_ext_s(connection_, wishes_.base.c_str(), LDAP_SCOPE_SUBTREE, wishes_.filter.c_str(), attributes_.data(), 0,
                                         controls, nullptr, &wait, LDAP_NO_LIMIT, &raw);
    ::ldap_control_free(control);
    Message out(raw);
    if (code != 0) return std::unexpected(fault("search", code));
    if (auto read = read_cookie(raw); !read) return std::unexpected(read.error());
    return out;
  }
  bool more() const { return cookie_.bv_len > 0; }

 private:
  // A server that does not page has said it all.
  base::Status read_cookie(LDAPMessage* answer) {
    ::ber_memfree(cookie_.bv_val);
    cookie_ = {};
    LDAPControl** controls = nullptr;
    int code = ::ldap_parse_result(connection_, answer, nullptr, nullptr, nullptr, nullptr, &controls, 0);
    if (code != 0) return std::unexpected(fault("search", code));
    LDAPControl* control = ::ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, nullptr);
    if (control != nullptr) code = ::ldap_parse_pageresponse_control(connection_, control, nullptr, &cookie_);
    ::ldap_controls_free(controls);
    return code == 0 ? base::Status{} : std::unexpected(fault("paging", code));
  }

  LDAP* connection_;
  const Wishes& wishes_;
  std::vector<char*> attributes_;
  berval cookie_{};
};

void each_value(LDAP* connection, LDAPMessage* page, const Wishes& wishes, const std::function<void(std::string_view)>& visit) {
  for (LDAPMessage* entry = ::ldap_first_entry(connection, page); entry != nullptr; entry = ::ldap_next_entry(connection, entry)) {
    for (const auto& attribute : wishes.attributes) {
      berval** values = ::ldap_get_values_len(connection, entry, attribute.c_str());
      for (int i = 0; values != nullptr && values[i] != nullptr; ++i) visit({values[i]->bv_val, values[i]->bv_len});
      ::ldap_value_free_len(values);
    }
  }
}

}  // namespace

base::Result<std::uint64_t> search(const Wishes& wishes, const std::function<void(const std::string&)>& found) {
  auto connection = connect(wishes);
  if (!connection) return std::unexpected(connection.error());
  std::set<std::string> seen;
  Pages pages(connection->get(), wishes);
  do {
    const auto page = pages.next();
    if (!page) return std::unexpected(page.error());
    each_value(connection->get(), page->get(), wishes, [&](std::string_view value) {
      if (const auto address = address_in(value); !address.empty() && seen.insert(address).second) found(address);
    });
  } while (pages.more());
  return seen.size();
}

}  // namespace holdfast::ldap
