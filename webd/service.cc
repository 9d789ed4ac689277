#include "webd/service.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "common/admin/metrics.h"
#include "common/admin/text_json.h"
#include "common/base/log.h"
#include "common/base/panic.h"
#include "common/base/text.h"
#include "common/net/https.h"
#include "webd/answers.h"
#include "webd/assets.h"
#include "webd/report_making.h"
#include "webd/routes.h"

namespace holdfast::webd {
namespace {

constexpr std::size_t kQuickThreads = 3, kSlowThreads = 2, kReportThreads = 1, kPasswordThreads = 1;
constexpr std::size_t kMostQuick = 200, kMostSlow = 32, kMostReports = 8, kMostPasswords = 8;
constexpr base::Millis kLastWords{100}, kReportLook{2'000};

Sessions::Limits limits_of(const config::Web& web) { return {.idle = web.session_idle, .longest = web.session_longest}; }

// An answer has met what cannot be: its request fails, and nothing else.
Response answer_of(const Route& route, Call& call) {
  try {
    return route.answer(call);
  } catch (const std::exception& error) {
    base::log().error(fmt::format("{} {}: {}", route.method, route.path, error.what()));
    return error_response(500, "internal", "the answer failed: see webd.log");
  }
}

// What an audit entry says of an answer.
std::string result_text(const Response& response) {
  if (response.status == 200) return "ok";
  const auto told = admin::json::parse(response.body, nullptr, false);
  const bool has = told.is_object() && told.contains("error") && told["error"].is_object();
  return fmt::format("{} {}", response.status, has ? told["error"].value("text", "") : "");
}

}  // namespace

base::Result<std::unique_ptr<daemon::Service>> Webd::start(daemon::Context& context) {
  auto web = config::load_web_alone(context.config->file);
  if (!web) return std::unexpected(web.error());
  std::unique_ptr<Webd> out(new Webd(context, std::move(*web)));
  out->use_tls();
  out->listen(std::move(context.listeners));
  return out;
}

Webd::Webd(daemon::Context& context, config::Web web)
    : loop_(context.loop),
      config_(context.config),
      web_(std::make_shared<const config::Web>(std::move(web))),
      stores_(std::make_shared<admin::Stores>(config_->paths.spool, config_->paths.state, config_->index_map_size,
                                              config_->paths.state + "/web/reading")),
      gate_(config::web_users_file(config_->paths), limits_of(*web_)),
      audit_(Audit::file(config_->paths.log)),
      seen_(config_->paths.state + "/web/seen.json"),
      reporter_(config_->paths.state + "/web/report.json"),
      house_{.users_file = config::web_users_file(config_->paths),
             .audit_file = Audit::file(config_->paths.log),
             .ages = &ages_,
             .audit = &audit_,
             .seen = &seen_,
             .history = [this](const auto& names, std::int64_t from, std::int64_t to) { return history(names, from, to); },
             .read_history = [this](const auto& questions) { return read_history(questions); },
             .locked_names = {}},
      server_(loop_, [this](ExchangePtr exchange) { handle(std::move(exchange)); }),
      live_(loop_,
            [this](std::function<void(std::string)> done) {
              return quick_.take([this, gateway = gateway_for("webd"), done = std::move(done)] {
                loop_.post([done, text = status_object(*gateway)] { done(text); });
              });
            }),
      last_words_(loop_, [this] { drained_(); }),
      history_timer_(loop_, [this] { keep_history(); }),
      report_timer_(loop_, [this] { look_for_report(); }),
      quick_(kQuickThreads, kMostQuick),
      slow_(kSlowThreads, kMostSlow),
      reports_(kReportThreads, kMostReports),
      passwords_(kPasswordThreads, kMostPasswords) {
  report_timer_.every(kReportLook);
  auto opened = admin::HistoryKeeper::open(config_->paths.state, [](const std::optional<base::Error>& fault) {
    fault ? base::log().error("the history cannot be written: " + fault->text) : base::log().notice("the history is written again");
  });
  if (!opened) {
    base::log().error("there is no history: " + opened.error().text);
    return;
  }
  history_ = std::move(*opened);
  history_timer_.every(admin::HistoryKeeper::kEvery);
  keep_history();
}

void Webd::keep_history() {
  (void)quick_.take([this, gateway = gateway_for("webd")] {
    seen_.save();
    auto figures = admin::gather_figures(*gateway, HOLDFAST_VERSION);
    loop_.post([this, figures = std::move(figures)]() mutable {
      const std::lock_guard lock(history_door_);
      history_->add(std::move(figures));
    });
  });
}

void Webd::look_for_report() {
  const auto& report = config_->alerts.report;
  const auto due_s = reporter_.due(report, now_ms() / 1000, base::mono_now());
  if (!due_s) return;
  const bool taken = reports_.take([this, gateway = gateway_for("webd"), weekly = report.every == "weekly", due_s = *due_s] {
    const bool done = hand_in_report(*gateway, weekly, due_s, [this](const auto& questions) { return read_history(questions); });
    loop_.post([this, due_s, done] { reporter_.done(due_s, done, base::mono_now()); });
  });
  if (!taken) reporter_.done(*due_s, false, base::mono_now());
}

base::Status Webd::read_history(const HistoryQuestions& questions) {
  const std::lock_guard lock(history_door_);
  if (history_ == nullptr) return base::fail(base::Kind::kUnavailable, "there is no history");
  return history_->read(questions);
}

base::Result<std::string> Webd::history(const std::vector<std::string>& names, std::int64_t from, std::int64_t to) {
  const std::lock_guard lock(history_door_);
  if (history_ == nullptr) return base::fail(base::Kind::kUnavailable, "there is no history");
  return history_->answer(names, from, to);
}

std::shared_ptr<admin::Gateway> Webd::gateway_for(const std::string& user) const {
  return std::make_shared<admin::Gateway>(config_, stores_, user);
}

void Webd::use_tls() {
  const auto& files = web_->tls;
  if (files.certificate.empty()) {
    tls_works_ = true;
    return server_.set_tls(nullptr);
  }
  auto made = net::Https::make({files.certificate, files.key});
  if (!made) return base::log().error("the web's certificate cannot be used, the one before stays: " + made.error().text);
  tls_works_ = true;
  server_.set_tls(std::move(*made));
}

// Browsers must not be answered in the clear where TLS was asked for: they wait at the door for a reload that mends it.
void Webd::open_door() {
  if (tls_works_ && !waiting_sockets_.empty()) server_.listen(std::exchange(waiting_sockets_, {}));
}

void Webd::listen(std::vector<base::UniqueFd> sockets) {
  server_.listen({});
  waiting_sockets_ = std::move(sockets);
  open_door();
}

void Webd::reload(config::ConfigPtr config) {
  config_ = std::move(config);
  audit_.reopen();
  auto web = config::load_web_alone(config_->file);
  if (!web) return base::log().error(web.error().text);
  web_ = std::make_shared<const config::Web>(std::move(*web));
  gate_.sessions().set_limits(limits_of(*web_));
  use_tls();
  open_door();
}

void Webd::drain(std::function<void()> done) {
  listen({});
  live_.end_all();
  seen_.save();
  drained_ = std::move(done);
  if (under_way_ == 0) last_words_.start(kLastWords);
}

std::int64_t Webd::now_ms() { return base::to_millis(base::wall_now()); }

// An answer has come from a desk.
void Webd::ended() {
  if (--under_way_ == 0 && drained_) last_words_.start(kLastWords);
}

void Webd::handle(ExchangePtr exchange) {
  const auto& path = exchange->request().path;
  const std::string first = path.empty() ? "" : path.front();
  if (first == "api") return handle_api(exchange);
  if (exchange->request().method != "GET" && exchange->request().method != "HEAD") {
    return exchange->answer(error_response(405, "usage", "only GET and HEAD here"));
  }
  if (path.size() == 1 && first == "healthz") return exchange->answer({.type = "text/plain", .body = "ok\n"});
  if (path.size() == 1 && first == "metrics") return serve_metrics(exchange);
  serve_file(*exchange);
}

void Webd::serve_file(Exchange& exchange) {
  const auto& request = exchange.request();
  std::string path;
  for (const auto& part : request.path) path += "/" + part;
  const Asset* asset = find_asset(path);
  if (asset == nullptr) return exchange.answer({.status = 404, .type = "text/plain", .body = "There is no such page.\n"});
  Response out{.type = std::string(asset->type), .headers = {{"Cache-Control", "no-cache"}, {"ETag", std::string(asset->etag)},
                                                            {"Vary", "Accept-Encoding"}}};
  if (etag_matches(request.header("if-none-match"), asset->etag)) {
    out.status = 304;
    return exchange.answer(out);
  }
  const bool packed = !asset->packed.empty() && takes_gzip(request.header("accept-encoding"));
  if (packed) out.headers.emplace_back("Content-Encoding", "gzip");
  out.body = packed ? asset->packed : asset->plain;
  exchange.answer(out);
}

void Webd::serve_metrics(const ExchangePtr& exchange) {
  const auto& request = exchange->request();
  if (!from_loopback(request) && !gate_.caller_of(request, loop_.now(), now_ms())) return exchange->answer(unknown_caller());
  ++under_way_;
  const bool taken = quick_.take([this, exchange, gateway = gateway_for("webd")] {
    std::string text = admin::metrics_text(admin::samples(admin::gather_figures(*gateway, HOLDFAST_VERSION)));
    loop_.post([this, exchange, text = std::move(text)] {
      exchange->answer({.type = admin::kMetricsType, .body = text});
      ended();
    });
  });
  if (taken) return;
  --under_way_;
  exchange->answer(busy());
}

void Webd::handle_api(const ExchangePtr& exchange) {
  const auto& request = exchange->request();
  if (request.path.size() < 3 || request.path[1] != "v1") return exchange->answer(error_response(404, "not_found", "there is no such path"));
  const std::vector<std::string> path(request.path.begin() + 2, request.path.end());
  if (path.size() == 1 && handle_session(exchange, path.front())) return;
  const Match found = match(request.method == "HEAD" ? "GET" : request.method, path);
  if (!found.path_known) return exchange->answer(error_response(404, "not_found", "there is no such path"));
  if (found.route == nullptr) return exchange->answer(error_response(405, "usage", "not by this method"));
  const auto caller = gate_.caller_of(request, loop_.now(), now_ms());
  if (!caller) return exchange->answer(unknown_caller());
  if (!caller->token.empty()) seen_.use(caller->token, now_ms());
  const std::string action = fmt::format("{} {}", found.route->method, found.route->path);
  if (caller->role < found.route->role) {
    note(request, caller->name, admin::to_text(caller->role), action, "403 the role is not enough");
    return exchange->answer(error_response(
        403, "permission", fmt::format("this needs the role {}", admin::to_text(found.route->role))));
  }
  if (found.route->method != "GET") {
    if (const auto no = gate_.forged(request, *caller, loop_.now())) {
      note(request, caller->name, admin::to_text(caller->role), action, result_text(*no));
      return exchange->answer(*no);
    }
  }
  run(exchange, found, *caller);
}

Desk& Webd::desk_of(Lane lane) {
  switch (lane) {
    case Lane::kQuick: return quick_;
    case Lane::kSlow: return slow_;
    case Lane::kReport: return reports_;
  }
  base::panic("a lane without a desk");
}

void Webd::run(const ExchangePtr& exchange, const Match& match, const Caller& caller) {
  Desk& desk = desk_of(match.route->lane);
  house_.locked_names = [names = gate_.locked_names(loop_.now())] { return names; };
  auto house = std::make_shared<const House>(house_);
  ++under_way_;
  const bool taken = desk.take([this, exchange, route = match.route, names = match.names, caller, house, web = web_,
                                gateway = gateway_for(caller.name)] {
    auto call = std::make_shared<Call>(Call{.request = exchange->request(),
                                            .caller = caller,
                                            .names = names,
                                            .gateway = gateway,
                                            .web = web,
                                            .house = *house});
    auto response = answer_of(*route, *call);
    if (route->audited || route->method != "GET") {
      const std::string what = call->detail.empty() ? exchange->request().body.substr(0, 2000) : call->detail;
      const bool secret = route->path.starts_with("users") || route->path == "password" || route->path.starts_with("tokens");
      audit_.write({.name = caller.name,
                    .role = std::string(admin::to_text(caller.role)),
                    .address = exchange->request().address,
                    .action = fmt::format("{} {}", route->method, exchange->request().target.substr(0, 500)),
                    .detail = secret ? call->detail : what,
                    .result = result_text(response)},
                   now_ms());
    }
    auto closed = call->closed_users;
    const std::string except = call->keep_own_session ? caller.session : "";
    loop_.post([this, exchange, response = std::move(response), closed = std::move(closed), except] {
      if (!except.empty()) gate_.accounts(except);
      for (const auto& name : closed) gate_.sessions().close_all_of(name, except);
      exchange->answer(response);
      ended();
    });
  });
  if (taken) return;
  --under_way_;
  exchange->answer(busy());
}

void Webd::note(const Request& request, const std::string& name, std::string_view role, const std::string& action,
                const std::string& result) {
  audit_.write({.name = name,
                .role = std::string(role),
                .address = request.address,
                .action = action,
                .detail = {},
                .result = result},
               now_ms());
}

}  // namespace holdfast::webd
