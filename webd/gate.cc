#include "webd/gate.h"

#include <algorithm>

#include <fmt/core.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/base/text.h"

namespace holdfast::webd {
namespace {

// Changes with each replacement of the file.
std::string stamp_of(const std::string& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) return "none";
  return fmt::format("{} {} {}.{}", about.st_ino, about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
}

std::optional<Response> refused(const char* text) { return error_response(403, "forged", text); }

}  // namespace

const admin::WebAccounts& Gate::accounts(std::string_view keep_session) {
  auto stamp = stamp_of(users_file_);
  if (stamp == stamp_) return accounts_;
  auto read = admin::read_accounts(users_file_);
  if (!read) base::log().error("the web's users cannot be read: nobody may log in: " + read.error().text);
  accounts_ = read ? std::move(*read) : admin::WebAccounts{};
  stamp_ = std::move(stamp);
  proven_.clear();
  sessions_.check([this](const std::string& name) { return accounts_.find_user(name); }, keep_session);
  return accounts_;
}

std::optional<Caller> Gate::caller_of(const Request& request, base::Mono now, std::int64_t now_ms) {
  accounts();
  if (const auto header = request.header("authorization"); !header.empty()) {
    const auto secret = bearer(header);
    return secret ? by_token(*secret, request, now, now_ms) : std::nullopt;
  }
  const auto token = cookie(request.header("cookie"), cookie_name(request.secure));
  const bool attended = request.header(kUnattended).empty();
  const Session* session = !token ? nullptr : attended ? sessions_.find(*token, now) : sessions_.look_at(*token, now);
  if (session == nullptr) return std::nullopt;
  return Caller{.name = session->name, .role = session->role, .session = session->token, .token = {}};
}

std::optional<Caller> Gate::by_token(const std::string& secret, const Request& request, base::Mono now,
                                     std::int64_t now_ms) {
  const auto id = admin::token_id(secret);
  const auto* token = id ? accounts_.find_token(*id) : nullptr;
  if (token == nullptr || (token->expires_ms != 0 && token->expires_ms <= now_ms)) return std::nullopt;
  const std::string name = "token " + token->name;
  const auto proven = proven_.find(*id);
  if (proven == proven_.end() || !admin::equal_secrets(proven->second, secret)) {
    if (throttle_.wait(request.address, name, now).count() > 0) return std::nullopt;
    if (!admin::token_fits(secret, *token)) {
      throttle_.failed(request.address, name, now);
      return std::nullopt;
    }
    proven_[*id] = secret;
  }
  return Caller{.name = name, .role = token->role, .session = {}, .token = token->id};
}

std::optional<Response> Gate::foreign(const Request& request) {
  if (!same_origin(request)) return refused("this request comes from another site");
  const std::string type = request.header("content-type");
  const std::string kind(base::trim(std::string_view(type).substr(0, type.find(';'))));
  if (!request.body.empty() && !base::iequals(kind, "application/json")) {
    return error_response(400, "usage", "the request's body must be application/json");
  }
  return std::nullopt;
}

std::optional<Response> Gate::forged(const Request& request, const Caller& caller, base::Mono now) {
  if (auto no = foreign(request)) return no;
  if (caller.session.empty()) return std::nullopt;  // no browser adds a bearer token by itself
  const Session* session = sessions_.find(caller.session, now);
  const std::string csrf = request.header("x-csrf-token");
  if (session == nullptr || !admin::equal_secrets(csrf, session->csrf)) {
    return refused("the X-CSRF-Token of this session is missing");
  }
  return std::nullopt;
}

std::string Gate::cookie_text(const std::string& token, bool secure) {
  return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}", cookie_name(secure), token, secure ? "; Secure" : "");
}

std::string Gate::cookie_end(bool secure) { return cookie_text("", secure) + "; Max-Age=0"; }

std::vector<std::string> Gate::locked_names(base::Mono now) {
  std::vector<std::string> out;
  for (const auto& user : accounts().users) {
    if (throttle_.wait("", user.name, now).count() > 0) out.push_back(user.name);
  }
  return out;
}

}  // namespace holdfast::webd
