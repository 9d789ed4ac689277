#include "common/smtp/command.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "common/base/text.h"

namespace holdfast::smtp {
namespace {

struct VerbName {
  std::string_view text;
  Verb verb;
};
constexpr VerbName kVerbs[] = {
    {"HELO", Verb::kHelo}, {"EHLO", Verb::kEhlo}, {"MAIL", Verb::kMail},     {"RCPT", Verb::kRcpt},
    {"DATA", Verb::kData}, {"RSET", Verb::kRset}, {"NOOP", Verb::kNoop},     {"QUIT", Verb::kQuit},
    {"VRFY", Verb::kVrfy}, {"HELP", Verb::kHelp}, {"banner", Verb::kBanner}, {"end of DATA", Verb::kDot},
};
constexpr std::string_view kNotOffered[] = {"EXPN", "TURN", "ETRN", "ATRN",     "SEND",    "SOML",    "SAML",
                                            "AUTH", "BDAT", "BURL", "STARTTLS", "XCLIENT", "XFORWARD"};
constexpr std::string_view kForeignVerbs[] = {"GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS"};
constexpr std::size_t kVerbsFromClients = 10;  // of kVerbs

bool is_one_of(std::string_view word, const auto& list) {
  return std::any_of(std::begin(list), std::end(list), [word](auto known) { return base::iequals(word, known); });
}

std::string_view trim_left(std::string_view s) {
  s.remove_prefix(std::min(s.find_first_not_of(' '), s.size()));
  return s;
}

std::string_view trim_blanks(std::string_view s) {
  s = trim_left(s);
  while (s.ends_with(' ')) s.remove_suffix(1);
  return s;
}

mail::Reply bad_arguments(std::string_view text) { return mail::Reply::make(501, "5.5.4", std::string(text)); }

mail::Reply bad_parameter(std::string_view parameter) {
  return mail::Reply::make(555, "5.5.4", "Unsupported parameter: " + base::printable(parameter.substr(0, 60)));
}

// The path behind "FROM:" or "TO:", and what follows it. Blanks behind the colon are not in the grammar,
// but in use.
std::expected<mail::Address, mail::Reply> parse_argument(std::string_view argument, std::string_view keyword,
                                                         mail::PathRules rules, std::string_view usage,
                                                         std::string_view& parameters) {
  if (!base::istarts_with(argument, keyword)) return std::unexpected(bad_arguments(usage));
  const std::string_view path = trim_left(argument.substr(keyword.size()));
  if (path.empty() || path.front() != '<') return std::unexpected(bad_arguments(usage));
  std::string_view rest;
  auto address = mail::parse_path(path, rules, rest);
  if (!address || (!rest.empty() && rest.front() != ' ')) {
    return std::unexpected(mail::Reply::make(501, rules.allow_null ? "5.1.7" : "5.1.3", "Bad address syntax"));
  }
  parameters = trim_blanks(rest);
  return *std::move(address);
}

std::optional<mail::Reply> take_size(std::string_view value, MailArguments& out) {
  if (out.size) return bad_arguments("SIZE was given twice");
  out.size = value.size() <= 20 ? base::to_number(value) : std::nullopt;  // RFC 1870 section 3
  if (!out.size) return bad_arguments("Bad SIZE");
  return std::nullopt;
}

std::optional<mail::Reply> take_body(std::string_view value, bool& seen, MailArguments& out) {
  if (seen) return bad_arguments("BODY was given twice");
  seen = true;
  if (base::iequals(value, "8BITMIME")) {
    out.body = mail::Body::k8BitMime;
  } else if (!base::iequals(value, "7BIT")) {
    return bad_arguments("Bad BODY");
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(Verb v) {
  for (const VerbName& name : kVerbs) {
    if (name.verb == v) return name.text;
  }
  return "unknown";
}

Command parse_command(std::string_view line) {
  const auto blank = line.find(' ');
  const std::string_view word = line.substr(0, blank);
  const std::string_view argument =
      blank == std::string_view::npos ? std::string_view{} : trim_blanks(line.substr(blank));
  for (const VerbName& name : std::span(kVerbs).first(kVerbsFromClients)) {
    if (base::iequals(word, name.text)) return {name.verb, argument};
  }
  if (is_one_of(word, kNotOffered)) return {Verb::kNotImplemented, argument};
  if (is_one_of(word, kForeignVerbs)) return {Verb::kForeign, argument};
  return {Verb::kUnknown, argument};
}

std::expected<MailArguments, mail::Reply> parse_mail(std::string_view argument) {
  MailArguments out;
  auto sender = parse_argument(argument, "FROM:", {.allow_null = true, .allow_postmaster = false},
                               "Syntax: MAIL FROM:<address>", out.parameters);
  if (!sender) return std::unexpected(std::move(sender.error()));
  out.sender = *std::move(sender);
  bool body_seen = false;
  std::string_view left = out.parameters;
  while (!left.empty()) {
    const std::string_view parameter = left.substr(0, left.find(' '));
    left = trim_left(left.substr(parameter.size()));
    const auto equals = parameter.find('=');
    const std::string_view key = parameter.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view{} : parameter.substr(equals + 1);
    std::optional<mail::Reply> refusal;
    if (base::iequals(key, "SIZE")) {
      refusal = take_size(value, out);
    } else if (base::iequals(key, "BODY")) {
      refusal = take_body(value, body_seen, out);
    } else {
      refusal = bad_parameter(parameter);
    }
    if (refusal) return std::unexpected(*std::move(refusal));
  }
  return out;
}

std::expected<mail::Address, mail::Reply> parse_rcpt(std::string_view argument) {
  std::string_view parameters;
  auto recipient = parse_argument(argument, "TO:", {.allow_null = false, .allow_postmaster = true},
                                  "Syntax: RCPT TO:<address>", parameters);
  if (recipient && !parameters.empty())
    return std::unexpected(bad_parameter(parameters.substr(0, parameters.find(' '))));
  return recipient;
}

std::expected<std::string_view, mail::Reply> parse_helo(std::string_view argument) {
  const bool one_word = !argument.empty() && argument.find(' ') == std::string_view::npos;
  if (!one_word || argument.size() > mail::kMaxDomain) return std::unexpected(bad_arguments("A host name is needed"));
  return argument;
}

}  // namespace holdfast::smtp
