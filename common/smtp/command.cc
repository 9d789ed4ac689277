#include "common/smtp/command.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "common/base/text.h"
#include "common/smtp/parameters.h"

namespace holdfast::smtp {
namespace {

struct VerbName {
  std::string_view text;
  Verb verb;
};
constexpr VerbName kVerbs[] = {
    {"HELO", Verb::kHelo}, {"EHLO", Verb::kEhlo}, {"MAIL", Verb::kMail},     {"RCPT", Verb::kRcpt},
    {"DATA", Verb::kData}, {"RSET", Verb::kRset}, {"NOOP", Verb::kNoop},     {"QUIT", Verb::kQuit},
    {"VRFY", Verb::kVrfy}, {"HELP", Verb::kHelp}, {"STARTTLS", Verb::kStartTls}, {"XCLIENT", Verb::kXclient},
    {"BDAT", Verb::kBdat}, {"banner", Verb::kBanner}, {"end of DATA", Verb::kDot}, {"end of a chunk", Verb::kChunkEnd},
};
constexpr std::string_view kNotOffered[] = {"EXPN", "TURN", "ETRN", "ATRN",     "SEND",    "SOML",    "SAML",
                                            "AUTH", "BURL", "XFORWARD"};
constexpr std::string_view kForeignVerbs[] = {"GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS"};
constexpr std::size_t kVerbsFromClients = 13;  // of kVerbs

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

// One parameter after the other from the front of `left`.
struct Parameter {
  std::string_view text, key, value;
  bool has_value = false;
};

Parameter take_parameter(std::string_view& left) {
  const std::string_view text = left.substr(0, left.find(' '));
  left = trim_left(left.substr(text.size()));
  const auto equals = text.find('=');
  const bool has_value = equals != std::string_view::npos;
  return {text, text.substr(0, equals), has_value ? text.substr(equals + 1) : std::string_view{}, has_value};
}

bool is_size(std::string_view value) {  // RFC 1870 section 3
  return value.size() <= 20 && base::to_number(value).has_value();
}

bool is_body(std::string_view value) { return base::iequals(value, "7BIT") || base::iequals(value, "8BITMIME"); }

bool is_ret(std::string_view value) { return base::iequals(value, "FULL") || base::iequals(value, "HDRS"); }

// Nothing, if `value` is good for a parameter that was not given before.
std::optional<mail::Reply> unfit(std::string_view key, std::string_view before, bool good) {
  if (!before.empty()) return bad_arguments(std::string(key) + " was given twice");
  if (!good) return bad_arguments("Bad " + std::string(key));
  return std::nullopt;
}

// What MAIL's parameters are, as written, before they are given their meaning.
struct MailWords {
  std::string_view size, body, ret, envid, smtputf8;
};

std::optional<mail::Reply> take_mail_parameter(const Parameter& p, Extensions offered, MailWords& words) {
  const auto is = [&p](std::string_view key) { return base::iequals(p.key, key); };
  const auto take = [&p](std::string_view key, std::string_view& word, bool good) {
    auto refusal = unfit(key, word, good);
    word = p.value;
    return refusal;
  };
  if (is("SIZE")) return take("SIZE", words.size, is_size(p.value));
  if (is("BODY")) return take("BODY", words.body, is_body(p.value));
  if (offered.dsn && is("RET")) return take("RET", words.ret, is_ret(p.value));
  if (offered.dsn && is("ENVID")) return take("ENVID", words.envid, is_envid(p.value));
  if (!offered.smtputf8 || !is("SMTPUTF8")) return bad_parameter(p.text);
  auto refusal = unfit("SMTPUTF8", words.smtputf8, !p.has_value);
  words.smtputf8 = p.text;
  return refusal;
}

// RFC 6531 section 3.5: what is not ASCII comes with SMTPUTF8 only.
mail::Reply not_ascii(std::string_view what) {
  return mail::Reply::make(553, "5.6.7", std::string(what) + " is not ASCII: SMTPUTF8 is needed");
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

std::expected<MailArguments, mail::Reply> parse_mail(std::string_view argument, Extensions offered) {
  MailArguments out;
  auto sender = parse_argument(argument, "FROM:", {.allow_null = true, .utf8 = offered.smtputf8},
                               "Syntax: MAIL FROM:<address>", out.parameters);
  if (!sender) return std::unexpected(std::move(sender.error()));
  out.sender = *std::move(sender);
  MailWords words;
  for (std::string_view left = out.parameters; !left.empty();) {
    if (auto refusal = take_mail_parameter(take_parameter(left), offered, words)) return std::unexpected(*std::move(refusal));
  }
  if (!words.size.empty()) out.size = base::to_number(words.size);
  if (base::iequals(words.body, "8BITMIME")) out.body = mail::Body::k8BitMime;
  if (!words.ret.empty()) out.ret = base::iequals(words.ret, "FULL") ? "FULL" : "HDRS";
  out.envid = words.envid;
  out.smtputf8 = !words.smtputf8.empty();
  if (!out.smtputf8 && !out.sender.ascii()) return std::unexpected(not_ascii("The sender"));
  return out;
}

std::expected<RcptArguments, mail::Reply> parse_rcpt(std::string_view argument, Extensions offered) {
  std::string_view parameters;
  auto recipient = parse_argument(argument, "TO:", {.allow_postmaster = true, .utf8 = true}, "Syntax: RCPT TO:<address>",
                                  parameters);
  if (!recipient) return std::unexpected(std::move(recipient.error()));
  RcptArguments out{*std::move(recipient), {}, {}};
  if (!offered.smtputf8 && !out.recipient.ascii()) return std::unexpected(not_ascii("The recipient"));
  while (!parameters.empty()) {
    const Parameter p = take_parameter(parameters);
    std::optional<mail::Reply> refusal;
    if (offered.dsn && base::iequals(p.key, "NOTIFY")) {
      refusal = unfit("NOTIFY", out.notify, is_notify(p.value));
      out.notify = p.value;
    } else if (offered.dsn && base::iequals(p.key, "ORCPT")) {
      refusal = unfit("ORCPT", out.orcpt, is_orcpt(p.value, offered.smtputf8));
      out.orcpt = p.value;
    } else {
      refusal = bad_parameter(p.text);
    }
    if (refusal) return std::unexpected(*std::move(refusal));
  }
  return out;
}

std::optional<Chunk> parse_bdat(std::string_view argument) {
  const std::string_view digits = argument.substr(0, argument.find(' '));
  const std::string_view rest = trim_left(argument.substr(digits.size()));
  const auto size = digits.size() <= 20 ? base::to_number(digits) : std::nullopt;
  if (!size || (!rest.empty() && !base::iequals(rest, "LAST"))) return std::nullopt;
  return Chunk{*size, !rest.empty()};
}

std::expected<std::string_view, mail::Reply> parse_helo(std::string_view argument) {
  const bool one_word = !argument.empty() && argument.find(' ') == std::string_view::npos;
  if (!one_word || argument.size() > mail::kMaxDomain) return std::unexpected(bad_arguments("A host name is needed"));
  return argument;
}

}  // namespace holdfast::smtp
