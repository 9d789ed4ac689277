// The situation, the system, the configuration, the audit log, users and tokens.
#include <algorithm>
#include <map>

#include <fmt/core.h>
#include <sys/statvfs.h>

#include "common/admin/status_look.h"
#include "common/admin/table.h"
#include "common/base/text.h"
#include "common/config/security.h"
#include "common/config/show.h"
#include "common/config/values.h"
#include "webd/answers.h"
#include "webd/body.h"

namespace holdfast::webd {
namespace {

constexpr base::Seconds kPatience{30};
constexpr std::size_t kMostEntries = 500;

std::int64_t now_ms() { return base::to_millis(base::wall_now()); }

std::optional<std::uint64_t> disk_bytes(const std::string& folder) {
  struct statvfs about {};
  if (::statvfs(folder.c_str(), &about) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(about.f_blocks) * about.f_frsize;
}

base::Result<admin::Role> role_of(const json& body) {
  const auto text = text_of(body, "role");
  if (!text) return std::unexpected(text.error());
  const auto role = admin::parse_role(*text);
  if (!role) return base::fail(base::Kind::kUsage, "'role' must be viewer, operator or admin");
  return *role;
}


// As ISO 8601: a page shows it by its reader's clock.
std::string clock_text(std::int64_t ms) { return base::iso8601(base::from_millis(ms)); }

// 1,204: a thousand is easier read.
std::string grouped(std::uint64_t n) {
  std::string out = fmt::format("{}", n);
  for (int at = static_cast<int>(out.size()) - 3; at > 0; at -= 3) out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

// What is kept for a destination, and for how long.
struct Held {
  std::optional<std::uint64_t> messages, bytes;
  std::int64_t oldest_ms = 0, first_expiry_ms = 0;
};

Held held_for(admin::Gateway& gateway, const std::string& destination) {
  Held out;
  const auto read = gateway.read_queue([&](const storage::QueueIndex& index, const storage::Txn& txn) {
    const auto counter = index.counter(txn, destination);
    out.messages = counter.messages();
    out.bytes = counter.bytes;
    index.by_age(txn, destination, {}, [&](storage::QueueIndex::Place place, const storage::Waiting&) {
      out.oldest_ms = place.time_ms;
      if (const auto row = index.message(txn, place.id)) out.first_expiry_ms = row->expires_ms;
      return false;
    });
  });
  if (!read && read.error().kind == base::Kind::kNotFound) out.messages = out.bytes = 0;
  return out;
}

// "office is down since 2026-11-22T10:02:00Z, pass thro': mail for known recipients is accepted unscanned and kept (1,204
// messages, 38 MiB), the oldest until 2026-11-26T10:02:00Z".
std::string outage_text(const admin::DestinationLine& d, const Held& held) {
  std::string out = fmt::format("{} is {}", d.name, d.state);
  if (d.since_ms != 0) out += fmt::format(" since {}", clock_text(d.since_ms));
  if (d.state == "draining") {
    out = fmt::format("{} is back since {}, and its mail is being handed over", d.name, clock_text(d.since_ms));
  } else {
    out += fmt::format(", {}: mail for known recipients is {}kept", d.mode, d.state != "down" ? "" : d.asked ? "accepted and " : "accepted unscanned and ");
  }
  if (!held.messages) return out;
  out += fmt::format(" ({} {}, {})", grouped(*held.messages), *held.messages == 1 ? "message" : "messages", admin::bytes_text(*held.bytes));
  if (held.first_expiry_ms != 0) out += fmt::format(", the oldest until {}", clock_text(held.first_expiry_ms));
  return out;
}

// One before somebody's making was of another of that name.
json last_seen(std::int64_t ms, std::int64_t created_ms) { return admin::time_json(ms < created_ms ? 0 : ms); }

json changed_one() { return {{"changed", 1}}; }

}  // namespace

std::string status_object(admin::Gateway& gateway) {
  const auto status = admin::gather(gateway);
  json out = json::parse(admin::status_json(status));
  out["mode"] = admin::overall_mode(status);
  std::string sentence;
  std::map<std::string, Held> held_by_name;
  for (auto& destination : out["destinations"]) {
    const auto held = held_for(gateway, destination.value("name", ""));
    destination["bytes"] = admin::optional_json(held.bytes);
    destination["oldest_arrival"] = admin::time_json(held.oldest_ms);
    destination["first_expiry"] = admin::time_json(held.first_expiry_ms);
    held_by_name[destination.value("name", "")] = held;
  }
  for (const auto* line : admin::worst_first(status.destinations)) {
    const bool out_of_order = !line->stale && !line->state.empty() && line->state != "up";
    if (out_of_order) sentence += (sentence.empty() ? "" : "; ") + outage_text(*line, held_by_name[line->name]);
  }
  out["sentence"] = sentence.empty() ? out["situation"] : json(sentence + ".");
  if (out["spool"].is_object()) {
    const auto total = disk_bytes(gateway.config().paths.spool);
    out["spool"]["total_bytes"] = admin::optional_json(total);
  }
  out["version"] = HOLDFAST_VERSION;
  out["hostname"] = gateway.config().hostname;
  return admin::dump_line(out);
}

Response answer_status(Call& call) { return answer_text(status_object(*call.gateway)); }

Response answer_system(Call& call) {
  const auto status = json::parse(status_object(*call.gateway));
  json disk = status["spool"];
  if (disk.is_object()) disk["path"] = call.gateway->config().paths.spool;
  return answer({{"daemons", status["daemons"]},
                 {"version", HOLDFAST_VERSION},
                 {"hostname", call.gateway->config().hostname},
                 {"disk", disk}});
}

Response restart(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto daemon = text_of(*body, "daemon");
  if (!daemon) return failure(daemon.error());
  return ask(call, "master", "master.restart", {*daemon}, kPatience);
}

// Who is no admin does not see what would let him post or page as we do.
Response show_config(Call& call) {
  json out = json::array();
  const auto& running = call.gateway->config();
  const auto shown = call.caller.role == admin::Role::kAdmin ? running : config::without_secrets(running);
  auto settings = config::list(shown);
  const auto web = config::list_web(*call.web);
  settings.insert(settings.end(), web.begin(), web.end());
  for (const auto& s : settings) out.push_back({{"name", s.name}, {"value", s.value}, {"default", s.is_default}});
  const std::string text = config::show(shown) + config::show_web(*call.web, config::Style::kAll);
  return answer({{"settings", out}, {"text", text}});
}

// The admin's file is not ours to read: master compares it.
Response diff_config(Call& call) { return ask(call, "master", "master.config_diff", {}, kPatience); }
Response check_config(Call& call) { return ask(call, "master", "master.config_check", {}, kPatience); }
Response reload_config(Call& call) { return ask(call, "master", "master.reload", {}, kPatience); }

Response list_audit(Call& call) {
  const auto limit = limit_of(call, 100, kMostEntries);
  if (!limit) return failure(limit.error());
  const std::string after = call.request.parameter("after");
  const auto before = after.empty() ? std::optional<std::uint64_t>(0) : base::to_number(after);
  if (!before) return failure({base::Kind::kUsage, "'after' is what a page before said in 'next'"});
  const auto page = read_audit(call.house.audit_file, *before, *limit);
  if (!page) return failure(page.error());
  return answer_text(fmt::format("{{\"entries\":{},\"next\":{}}}\n", array_of(page->lines),
                                 page->next == 0 ? "null" : fmt::format("\"{}\"", page->next)));
}

Response answer_history(Call& call) {
  const std::int64_t now = now_ms() / 1000;
  const auto time_of = [&](const char* name, std::int64_t otherwise) -> std::optional<std::int64_t> {
    const std::string text = call.request.parameter(name);
    const auto number = base::to_number(text);
    if (text.empty()) return otherwise;
    return number && *number < (1ULL << 40) ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
  };
  const auto from = time_of("from", now - 3600), to = time_of("to", now);
  if (!from || !to || *from > *to) return failure({base::Kind::kUsage, "'from' and 'to' are seconds since 1970"});
  std::vector<std::string> names;
  const std::string series = call.request.parameter("series");  // what split() looks at must outlive the loop
  for (const auto name : base::split(series, ',')) {
    if (!base::trim(name).empty()) names.emplace_back(base::trim(name));
  }
  auto text = call.house.history(names, *from, *to);
  if (!text) return failure(text.error());
  return answer_text(std::move(*text));
}

Response list_users(Call& call) {
  const auto accounts = admin::read_accounts(call.house.users_file);
  if (!accounts) return failure(accounts.error());
  const auto locked = call.house.locked_names();
  json out = json::array();
  for (const auto& u : accounts->users) {
    out.push_back({{"name", u.name},
                   {"role", admin::to_text(u.role)},
                   {"created", admin::time_json(u.created_ms)},
                   {"last_login", last_seen(call.house.seen->last_login(u.name), u.created_ms)},
                   {"locked", std::ranges::find(locked, u.name) != locked.end()}});
  }
  return answer({{"users", out}});
}

Response create_user(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto name = text_of(*body, "name"), password = text_of(*body, "password");
  const auto role = role_of(*body);
  if (!name) return failure(name.error());
  if (!password) return failure(password.error());
  if (!role) return failure(role.error());
  call.detail = fmt::format("{} as {}", *name, admin::to_text(*role));
  const auto done = admin::change_accounts(call.house.users_file, [&](admin::WebAccounts& accounts) {
    return admin::add_user(accounts, *name, *role, *password, now_ms());
  });
  return done ? answer(changed_one()) : failure(done.error());
}

Response change_user(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const std::string& name = call.names.front();
  const auto password = text_of(*body, "password");
  if (!password) return failure(password.error());
  const bool has_role = body->contains("role") && !body->at("role").is_null();
  const auto role = has_role ? role_of(*body) : base::Result<admin::Role>(admin::Role::kViewer);
  if (!role) return failure(role.error());
  if (!has_role && password->empty()) return failure({base::Kind::kUsage, "what is to be changed? Give a password, a role or both"});
  call.detail = fmt::format("{}{}{}", name, has_role ? fmt::format(" is {}", admin::to_text(*role)) : "",
                            password->empty() ? "" : " has a new password");
  const auto done = admin::change_accounts(call.house.users_file, [&](admin::WebAccounts& accounts) -> base::Status {
    if (has_role) {
      if (auto set = admin::set_role(accounts, name, *role); !set) return set;
    }
    return password->empty() ? base::Status{} : admin::set_password(accounts, name, *password);
  });
  if (!done) return failure(done.error());
  call.closed_users.push_back(name);
  return answer(changed_one());
}

Response delete_user(Call& call) {
  const auto done = admin::change_accounts(call.house.users_file, [&](admin::WebAccounts& accounts) {
    return admin::remove_user(accounts, call.names.front());
  });
  if (!done) return failure(done.error());
  call.closed_users.push_back(call.names.front());
  return answer(changed_one());
}

Response list_tokens(Call& call) {
  const auto accounts = admin::read_accounts(call.house.users_file);
  if (!accounts) return failure(accounts.error());
  json out = json::array();
  for (const auto& t : accounts->tokens) {
    out.push_back({{"id", t.id},
                   {"name", t.name},
                   {"role", admin::to_text(t.role)},
                   {"made_by", t.made_by},
                   {"created", admin::time_json(t.created_ms)},
                   {"expires", admin::time_json(t.expires_ms)},
                   {"last_used", last_seen(call.house.seen->last_used(t.id), t.created_ms)}});
  }
  return answer({{"tokens", out}});
}

Response create_token(Call& call) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto name = text_of(*body, "name"), lasts = text_of(*body, "for");
  const auto role = role_of(*body);
  if (!name) return failure(name.error());
  if (!role) return failure(role.error());
  if (!lasts) return failure(lasts.error());
  if (const auto fault = admin::user_name_fault(*name); !fault.empty()) return failure({base::Kind::kUsage, fault});
  const auto duration = lasts->empty() ? base::Result<base::Seconds>(base::Seconds{0}) : config::parse_duration(*lasts);
  if (!duration) return failure({base::Kind::kUsage, "for: " + duration.error().text});
  const std::int64_t expires = duration->count() == 0 ? 0 : now_ms() + duration->count() * 1000;
  const auto made = admin::make_token(*name, *role, call.caller.name, now_ms(), expires);
  call.detail = fmt::format("{} {} as {}", made.kept.id, *name, admin::to_text(*role));
  const auto done = admin::change_accounts(call.house.users_file, [&](admin::WebAccounts& accounts) {
    return admin::add_token(accounts, made.kept);
  });
  if (!done) return failure(done.error());
  return answer({{"id", made.kept.id}, {"token", made.secret}, {"expires", admin::time_json(expires)}});
}

Response delete_token(Call& call) {
  const auto done = admin::change_accounts(call.house.users_file, [&](admin::WebAccounts& accounts) {
    return admin::remove_token(accounts, call.names.front());
  });
  return done ? answer(changed_one()) : failure(done.error());
}

Response change_own_password(Call& call) {
  if (call.caller.session.empty()) return failure({base::Kind::kPermission, "a token has no password"});
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto old_password = text_of(*body, "old"), new_password = text_of(*body, "new");
  if (!old_password) return failure(old_password.error());
  if (!new_password) return failure(new_password.error());
  const auto done = admin::change_accounts(call.house.users_file, [&](admin::WebAccounts& accounts) -> base::Status {
    const auto* user = accounts.find_user(call.caller.name);
    if (user == nullptr || !admin::password_fits(*old_password, user->password)) {
      return base::fail(base::Kind::kPermission, "the old password is another one");
    }
    return admin::set_password(accounts, call.caller.name, *new_password);
  });
  if (!done) return failure(done.error());
  call.closed_users.push_back(call.caller.name);
  call.keep_own_session = true;
  return answer(changed_one());
}

}  // namespace holdfast::webd
