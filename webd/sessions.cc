#include "webd/sessions.h"

#include <algorithm>

#include "common/base/text.h"

namespace holdfast::webd {
namespace {

std::string secret() { return base::random_token() + base::random_token(); }

}  // namespace

const Session& Sessions::open(const admin::WebUser& user, const std::string& address, base::Mono now) {
  make_room(now);
  Session session{secret(), secret(), user.name, user.role, user.password, address, now, now};
  return sessions_.emplace(session.token, std::move(session)).first->second;
}

const Session* Sessions::look_at(std::string_view token, base::Mono now) {
  const auto found = sessions_.find(token);
  if (found == sessions_.end()) return nullptr;
  if (over(found->second, now)) {
    sessions_.erase(found);
    return nullptr;
  }
  return &found->second;
}

const Session* Sessions::find(std::string_view token, base::Mono now) {
  const bool there = look_at(token, now) != nullptr;
  if (!there) return nullptr;
  auto& session = sessions_.find(token)->second;
  session.used = now;
  return &session;
}

void Sessions::close(std::string_view token) {
  const auto found = sessions_.find(token);
  if (found != sessions_.end()) sessions_.erase(found);
}

void Sessions::close_all_of(std::string_view name, std::string_view except) {
  std::erase_if(sessions_, [&](const auto& entry) { return entry.second.name == name && entry.first != except; });
}

void Sessions::check(const std::function<const admin::WebUser*(const std::string&)>& user_of, std::string_view keep) {
  if (const auto own = sessions_.find(keep); own != sessions_.end()) {
    if (const auto* user = user_of(own->second.name)) own->second.password = user->password;
  }
  std::erase_if(sessions_, [&](const auto& entry) {
    const auto& session = entry.second;
    const auto* user = user_of(session.name);
    return user == nullptr || user->role != session.role || user->password != session.password;
  });
}

bool Sessions::over(const Session& session, base::Mono now) const {
  return now - session.used >= limits_.idle || now - session.opened >= limits_.longest;
}

void Sessions::make_room(base::Mono now) {
  if (sessions_.size() < kMost) return;
  std::erase_if(sessions_, [&](const auto& entry) { return over(entry.second, now); });
  while (sessions_.size() >= kMost) {
    sessions_.erase(std::ranges::min_element(sessions_, {}, [](const auto& entry) { return entry.second.used; }));
  }
}

}  // namespace holdfast::webd
