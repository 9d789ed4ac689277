// Who is logged in. Sessions live in this process and end with it (decision 17); a token of 256 random bits names one.
// Pure but for the randomness: time is passed in.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "common/admin/web_users.h"
#include "common/base/time.h"

namespace holdfast::webd {

using admin::Role;

struct Session {
  std::string token;    // the cookie
  std::string csrf;     // what a page of ours sends with each deed
  std::string name;
  Role role = Role::kViewer;
  std::string password;  // the user's hash when it was opened
  std::string address;   // it was opened from
  base::Mono opened{}, used{};
};

class Sessions {
 public:
  static constexpr std::size_t kMost = 2'000;  // the one not used longest goes

  struct Limits {
    base::Seconds idle{1800}, longest{12 * 3600};
  };
  explicit Sessions(Limits limits) : limits_(limits) {}
  void set_limits(Limits limits) { limits_ = limits; }

  const Session& open(const admin::WebUser& user, const std::string& address, base::Mono now);
  // nullptr: there is none, or it has ended by now. Finding it counts as a use.
  const Session* find(std::string_view token, base::Mono now);
  // The same, and no use.
  const Session* look_at(std::string_view token, base::Mono now);
  void close(std::string_view token);
  // All of a user: removed, or with another password. But for `except`, a token.
  void close_all_of(std::string_view name, std::string_view except = {});
  // Closes all whose user has another role or password by now, or is not there any more (nullptr). `keep`, a token, is of
  // him who has just changed his own password.
  void check(const std::function<const admin::WebUser*(const std::string&)>& user_of, std::string_view keep = {});
  std::size_t size() const { return sessions_.size(); }

 private:
  bool over(const Session& session, base::Mono now) const;
  void make_room(base::Mono now);

  Limits limits_;
  std::map<std::string, Session, std::less<>> sessions_;
};

}  // namespace holdfast::webd
