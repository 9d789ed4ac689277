// When each user logged in last, and each token was used last: paths.state/web/seen.json, which webd alone writes. May be
// used by any thread. What was seen since the last save() is lost with the process.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace holdfast::webd {

class Seen {
 public:
  // A file that is missing or damaged has seen nobody.
  explicit Seen(std::string file);

  void login(const std::string& user, std::int64_t now_ms) { note(users_, user, now_ms); }
  void use(const std::string& token_id, std::int64_t now_ms) { note(tokens_, token_id, now_ms); }
  // 0: never.
  std::int64_t last_login(std::string_view user) const { return when(users_, user); }
  std::int64_t last_used(std::string_view token_id) const { return when(tokens_, token_id); }

  // Writes the file when something was seen since. A fault is logged, and the next call tries again.
  void save();

 private:
  using Times = std::map<std::string, std::int64_t, std::less<>>;
  void note(Times& times, const std::string& name, std::int64_t now_ms);
  std::int64_t when(const Times& times, std::string_view name) const;

  const std::string file_;
  mutable std::mutex door_;
  Times users_, tokens_;
  bool changed_ = false;
};

}  // namespace holdfast::webd
