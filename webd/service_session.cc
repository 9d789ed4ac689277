// webd's users: logging in and out, what a page asks about its own session, and the live stream. Answered on the loop, but
// for the hashing of a password.
#include <utility>

#include <fmt/core.h>

#include "common/admin/text_json.h"
#include "webd/service.h"

namespace holdfast::webd {

// login, logout, session, live: what is not answered by a thread. False: something else.
bool Webd::handle_session(const ExchangePtr& exchange, const std::string& word) {
  const auto& request = exchange->request();
  const char* method = word == "login" || word == "logout" ? "POST" : word == "session" || word == "live" ? "GET" : nullptr;
  if (method == nullptr) return false;
  if (request.method != method) return exchange->answer(error_response(405, "usage", "not by this method")), true;
  if (word == "login") return log_in(exchange), true;
  const auto caller = gate_.caller_of(request, loop_.now(), now_ms());
  if (!caller) return exchange->answer(unknown_caller()), true;
  if (word == "logout") {
    const auto no = gate_.forged(request, *caller, loop_.now());
    no ? exchange->answer(*no) : log_out(*exchange, *caller);
  } else if (word == "session") {
    tell_session(*exchange, *caller);
  } else {
    open_live(exchange, *caller);
  }
  return true;
}

void Webd::log_in(const ExchangePtr& exchange) {
  const auto& request = exchange->request();
  if (const auto no = Gate::foreign(request)) return exchange->answer(*no);
  const auto body = admin::json::parse(request.body, nullptr, false);
  const auto text = [&](const char* name) {
    const bool has = body.is_object() && body.contains(name) && body.at(name).is_string();
    return has ? body.at(name).get<std::string>() : std::string();
  };
  const std::string name = text("name"), password = text("password");
  if (!admin::user_name_fault(name).empty() || password.empty()) {
    return exchange->answer(error_response(400, "usage", "name and password are needed"));
  }
  if (const auto wait = gate_.throttle().wait(request.address, name, loop_.now()); wait.count() > 0) {
    auto out = error_response(429, "throttled", fmt::format("too many failed logins: try again in {}", base::spell(wait)));
    out.headers.emplace_back("Retry-After", fmt::format("{}", wait.count()));
    return exchange->answer(out);
  }
  // Counted before it is known: several at a time get no more tries than one after the other.
  gate_.throttle().failed(request.address, name, loop_.now());
  auto accounts = gate_.accounts();
  const auto* user = accounts.find_user(name);
  const std::string hash = user != nullptr ? user->password : "";
  ++under_way_;
  const bool taken = passwords_.take([this, exchange, name, password, hash] {
    // Nobody's hash takes as long as somebody's.
    const bool good = admin::password_fits(password, hash.empty() ? admin::nobodys_hash() : hash) && !hash.empty();
    loop_.post([this, exchange, name, hash = good ? hash : ""] { logged_in(exchange, name, hash); });
  });
  if (taken) return;
  --under_way_;
  exchange->answer(busy());
}

// `hash` is what the password fits; empty: none.
void Webd::logged_in(const ExchangePtr& exchange, const std::string& name, const std::string& hash) {
  ended();
  const auto& request = exchange->request();
  auto accounts = gate_.accounts();
  const auto* user = accounts.find_user(name);
  if (hash.empty() || user == nullptr || user->password != hash) {
    note(request, name, "", "POST login", "401 wrong name or password");
    return exchange->answer(error_response(401, "unauthenticated", "wrong name or password"));
  }
  gate_.throttle().succeeded(request.address, name);
  seen_.login(name, now_ms());
  const Session& session = gate_.sessions().open(*user, request.address, loop_.now());
  note(request, name, admin::to_text(user->role), "POST login", "ok");
  exchange->answer({.body = session_text(name, user->role, session.csrf),
                    .headers = {{"Set-Cookie", Gate::cookie_text(session.token, request.secure)}}});
}

void Webd::log_out(Exchange& exchange, const Caller& caller) {
  gate_.sessions().close(caller.session);
  note(exchange.request(), caller.name, admin::to_text(caller.role), "POST logout", "ok");
  exchange.answer({.body = "{}\n", .headers = {{"Set-Cookie", Gate::cookie_end(exchange.request().secure)}}});
}

void Webd::tell_session(Exchange& exchange, const Caller& caller) {
  const Session* session = gate_.sessions().find(caller.session, loop_.now());
  exchange.answer({.body = session_text(caller.name, caller.role, session == nullptr ? "" : session->csrf)});
}

std::string Webd::session_text(const std::string& name, admin::Role role, const std::string& csrf) const {
  return admin::dump_line({{"name", name},
                           {"role", admin::to_text(role)},
                           {"csrf", csrf.empty() ? admin::json() : admin::json(csrf)},
                           {"version", HOLDFAST_VERSION},
                           {"hostname", config_->hostname}});
}

// Its session is looked at once a second, which does not keep it in use: an open page is not a user who is there.
void Webd::open_live(const ExchangePtr& exchange, const Caller& caller) {
  auto looked_at = exchange->request();
  looked_at.headers.emplace(Gate::kUnattended, "1");
  const bool taken = live_.add(exchange, [this, request = std::move(looked_at), name = caller.name] {
    const auto still = gate_.caller_of(request, loop_.now(), now_ms());
    return still && still->name == name;
  });
  if (!taken) exchange->answer(error_response(503, "busy", "too many pages are open"));
}

}  // namespace holdfast::webd
