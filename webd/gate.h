// Who asks, and whether he may: sessions, tokens, throttle and the rules against forged requests, in one place. Belongs to
// the loop's thread. Pure but for the accounts' file, of which it looks at the date each time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/admin/web_users.h"
#include "webd/call.h"
#include "webd/http.h"
#include "webd/routes.h"
#include "webd/sessions.h"
#include "webd/throttle.h"

namespace holdfast::webd {

class Gate {
 public:
  // A header by which a page says that nobody has touched it for a while: the request does not keep the session alive.
  static constexpr std::string_view kUnattended = "x-unattended";

  Gate(std::string users_file, Sessions::Limits limits) : users_file_(std::move(users_file)), sessions_(limits) {}

  Sessions& sessions() { return sessions_; }
  Throttle& throttle() { return throttle_; }
  // The users as the file has them now; sessions of who is not there any more, or has another role or password, are closed,
  // but for `keep_session` (a token) where only the password is another.
  const admin::WebAccounts& accounts(std::string_view keep_session = {});

  // By a token in Authorization, or by the session's cookie. Nothing: nobody that we know.
  std::optional<Caller> caller_of(const Request& request, base::Mono now, std::int64_t now_ms);
  // Whether this page may act for him: what changes something needs the session's CSRF token and our own origin, or a
  // bearer token. Nothing: it may.
  std::optional<Response> forged(const Request& request, const Caller& caller, base::Mono now);
  // The same for requests without a session: a login.
  static std::optional<Response> foreign(const Request& request);

  // The name of the cookie: with the prefix that binds it to this host where TLS makes that possible.
  static std::string cookie_name(bool secure) { return secure ? "__Host-holdfast" : "holdfast"; }
  static std::string cookie_text(const std::string& token, bool secure);
  static std::string cookie_end(bool secure);

  // Names that have to wait before a password may be tried again.
  std::vector<std::string> locked_names(base::Mono now);

 private:
  std::optional<Caller> by_token(const std::string& secret, const Request& request, base::Mono now, std::int64_t now_ms);

  const std::string users_file_;
  Sessions sessions_;
  Throttle throttle_;
  admin::WebAccounts accounts_;
  std::string stamp_;                          // of the file that accounts_ is
  std::map<std::string, std::string> proven_;  // tokens whose hash was compared already, by id
};

}  // namespace holdfast::webd
