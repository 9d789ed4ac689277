#include "common/filtering/trial.h"

#include <algorithm>
#include <filesystem>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::filtering {
namespace {

constexpr storage::ContentLimits kInMemory{.memory = 256 << 20, .process_memory = 512 << 20};

std::string_view header_of(std::string_view content) {
  const auto end = content.find("\r\n\r\n");
  return end == content.npos ? content : content.substr(0, end + 2);
}

std::string_view body_of(std::string_view content) {
  const auto end = content.find("\r\n\r\n");
  return end == content.npos ? std::string_view() : content.substr(end + 4);
}

// Each on one line.
std::vector<std::string> fields_of(std::string_view content) {
  std::vector<std::string> out;
  for (auto line : base::split(header_of(content), '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const bool folded = line.front() == ' ' || line.front() == '\t';
    if (folded && !out.empty()) {
      out.back() += fmt::format(" {}", base::trim(line));
    } else {
      out.emplace_back(line);
    }
  }
  return out;
}

ClientFacts client_of(const TrialMail& mail) {
  ClientFacts out;
  out.client.name = fmt::format("[{}]", mail.client);
  out.client.address = mail.client;
  out.client.port = 25;
  out.helo = mail.hostname;
  return out;
}

class Trial {
 public:
  Trial(const FilterSpec& spec, const TrialMail& mail)
      : mail_(mail),
        content_(std::filesystem::temp_directory_path().string(), kInMemory),
        chain_(loop_, {spec}, client_of(mail), std::filesystem::temp_directory_path().string(), [this](const std::string&, const std::string& fault) { result_.fault = fault; }),
        deadline_(loop_, [this] {
          result_.fault = "it has not answered in time";
          loop_.stop();
        }) {}

  TrialResult run(net::Millis patience) {
    if (auto taken = content_.append(mail_.content); !taken) {
      result_.fault = taken.error().text;
      return result_;
    }
    set_macros();
    deadline_.start(patience);
    chain_.mail(mail_.sender, "", answer("MAIL", [this] { rcpt(); }));
    loop_.run();
    return result_;
  }

 private:
  FilterChain::Answer answer(const char* stage, std::function<void()> next) {
    return [this, stage, next = std::move(next)](const Outcome& outcome) {
      result_.outcome = outcome;
      result_.stage = stage;
      if (result_.fault.empty() && outcome.kind == Outcome::Kind::kContinue && next) return next();
      loop_.stop();
    };
  }

  void set_macros() {
    auto& macros = chain_.macros();
    macros.set("j", mail_.hostname);
    macros.set("i", "0000000000000000");
    macros.set("_", fmt::format("[{}]", mail_.client));
    macros.set("{daemon_name}", mail_.hostname);
    macros.set("{client_addr}", mail_.client);
    macros.set("{mail_addr}", mail_.sender);
    macros.set("{rcpt_addr}", mail_.recipient);
  }

  void rcpt() {
    chain_.rcpt(mail_.recipient, "", answer("RCPT", [this] { content(); }));
  }

  void content() {
    chain_.content(content_, answer("END-OF-MESSAGE", [this] {
      result_.changes = chain_.take_changes();
      compare();
      loop_.stop();
    }));
  }

  void compare() {
    std::string after;
    storage::ContentReader reader(content_);
    for (auto piece = reader.next(); piece && !piece->empty(); piece = reader.next()) after += *piece;
    result_.added_fields = fields_missing(mail_.content, after);
    result_.removed_fields = fields_missing(after, mail_.content);
    result_.new_body = body_of(after) != body_of(mail_.content);
  }

  const TrialMail& mail_;
  net::Loop loop_;
  storage::Content content_;
  TrialResult result_;
  FilterChain chain_;
  net::Timer deadline_;
};

}  // namespace

std::string harmless_mail(std::string_view hostname, std::string_view sender, std::string_view recipient, std::string_view date) {
  return fmt::format(
      "From: <{}>\r\nTo: <{}>\r\nDate: {}\r\nMessage-ID: <filter-test@{}>\r\nSubject: Test of a filter\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=us-ascii\r\n\r\nThis message was made by gatewayctl filter test. It goes to nobody.\r\n",
      sender, recipient, date, hostname);
}

TrialResult try_filter(const FilterSpec& spec, const TrialMail& mail, net::Millis patience) { return Trial(spec, mail).run(patience); }

std::vector<std::string> fields_missing(std::string_view in, std::string_view of) {
  auto there = fields_of(in);
  std::vector<std::string> out;
  for (auto& field : fields_of(of)) {
    const auto same = std::ranges::find(there, field);
    if (same != there.end()) {
      there.erase(same);
    } else {
      out.push_back(std::move(field));
    }
  }
  return out;
}

}  // namespace holdfast::filtering
