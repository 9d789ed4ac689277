#include "alertd/roads.h"

#include <algorithm>

#include <fmt/core.h>

#include "alertd/message.h"
#include "common/config/security.h"

namespace holdfast::alertd {
namespace {

constexpr std::string_view kMail = "mail ", kCommand = "command";

std::int64_t repeat_ms(const config::Alerts& alerts) { return std::chrono::duration_cast<base::Millis>(alerts.repeat).count(); }

std::string host_of(const std::string& url) {
  const auto begin = url.find("://") + 3;
  return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

std::string webhook_name(std::size_t index, const config::Webhook& hook) {
  return fmt::format("webhook {} ({})", index + 1, host_of(hook.url));
}

}  // namespace

struct Roads::Letter {
  config::Alerts alerts;             // of when it began
  Submission mail;
  std::size_t relay = 0;
  std::string failures;              // of the relays before
  Done done;
};

Roads::Roads(net::Loop& loop, config::ConfigPtr config, CommandRunner& commands)
    : loop_(loop), config_(std::move(config)), commands_(commands), curl_(loop) {}

Roads::~Roads() { *alive_ = false; }

void Roads::configure(config::ConfigPtr config) { config_ = std::move(config); }

std::vector<std::string> Roads::names() const {
  std::vector<std::string> out;
  const auto& alerts = config_->alerts;
  const auto add = [&](std::string name) {
    if (std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
  };
  for (const auto& to : alerts.to) add(fmt::format("{}{}", kMail, to));
  for (std::size_t i = 0; i < alerts.webhooks.size(); ++i) add(webhook_name(i, alerts.webhooks[i]));
  if (!alerts.command.empty()) add(std::string(kCommand));
  return out;
}

std::vector<std::string> Roads::all_names() const {
  auto out = names();
  for (auto& road : names_for_reports()) out.push_back(std::move(road));
  return out;
}

void Roads::later(Done done, Answer answer) {
  loop_.later([alive = alive_, done = std::move(done), answer = std::move(answer)] {
    if (*alive) done(answer);
  });
}

void Roads::send(const std::string& road, const Notice& notice, Done done) {
  if (road.starts_with(kMail)) return mail(road.substr(kMail.size()), notice, std::move(done));
  if (road.starts_with(kReportRoad)) return mail(road.substr(kReportRoad.size()), notice, std::move(done));
  if (road == kCommand) return run(notice, std::move(done));
  const auto& hooks = config_->alerts.webhooks;
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    if (road == webhook_name(i, hooks[i])) return post(hooks[i], notice, std::move(done));
  }
  later(std::move(done), {false, "this road is not in the configuration any more"});
}

void Roads::mail(const std::string& to, const Notice& notice, Done done) {
  auto letter = std::make_shared<Letter>();
  letter->alerts = config_->alerts;
  letter->done = std::move(done);
  const auto& alerts = letter->alerts;
  const std::string& host = config_->hostname;
  const MailHeads heads{.from = alerts.from.empty() ? "holdfast@" + host : alerts.from, .to = to, .host = host};
  letter->mail = {.helo = host, .from = alerts.from, .to = to, .content = mail_text(notice, heads), .user = alerts.auth.user,
                  .password = {}, .tls = alerts.tls, .ca_file = alerts.ca_file};
  if (!alerts.auth.user.empty()) {
    auto password = config::read_password(alerts.auth);
    if (!password) return later(std::move(letter->done), {false, password.error().text});
    letter->mail.password = std::move(*password);
  }
  try_relay(std::move(letter));
}

void Roads::try_relay(std::shared_ptr<Letter> letter) {
  if (letter->relay == letter->alerts.relays.size()) return later(std::move(letter->done), {false, letter->failures});
  const auto& relay = letter->alerts.relays[letter->relay];
  letter->mail.host = relay.host;
  letter->mail.port = relay.port;
  curl_.submit(letter->mail, [this, letter, name = relay.text()](const Answer& answer) {
    if (answer.ok) return letter->done({true, fmt::format("{}: {}", name, answer.said)});
    letter->failures += fmt::format("{}{}: {}", letter->failures.empty() ? "" : "; ", name, answer.said);
    ++letter->relay;
    try_relay(letter);
  });
}

void Roads::post(const config::Webhook& hook, const Notice& notice, Done done) {
  auto body = web_body(notice, hook, repeat_ms(config_->alerts));
  Post request{.url = hook.url, .content = std::move(body.content), .headers = std::move(body.headers), .ca_file = hook.ca_file};
  request.headers.push_back("Content-Type: " + body.content_type);
  request.headers.insert(request.headers.end(), hook.headers.begin(), hook.headers.end());
  if (!hook.token_file.empty()) {
    const auto token = config::read_password({.user = {}, .password_file = hook.token_file});
    if (!token) return later(std::move(done), {false, token.error().text});
    request.headers.push_back("Authorization: Bearer " + *token);
  }
  curl_.post(request, std::move(done));
}

void Roads::run(const Notice& notice, Done done) {
  auto facts = notice.facts;
  facts.push_back({"id", fmt::format("{}", notice.id)});
  commands_.run(facts, facts_json(notice), std::move(done));
}

}  // namespace holdfast::alertd
