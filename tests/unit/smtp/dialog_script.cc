#include "tests/unit/smtp/dialog_script.h"

#include <sstream>
#include <stdexcept>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/smtp/reply_parser.h"

namespace holdfast::smtp::dialog {
namespace {

int hex_digit(char c) {
  const auto at = std::string_view("0123456789abcdef").find(base::lower(c));
  if (at == std::string_view::npos) throw std::runtime_error("bad \\x");
  return static_cast<int>(at);
}

// \{COUNT*CHARACTER}; `in` stands behind the brace.
std::string repetition(std::string_view& in) {
  const auto star = in.find('*');
  const auto count = base::to_number(in.substr(0, star));
  if (!count || star + 2 >= in.size() || in[star + 2] != '}') throw std::runtime_error("bad \\{");
  std::string out(*count, in[star + 1]);
  in.remove_prefix(star + 3);
  return out;
}

// Options that are offered or not: "O: smtputf8".
bool* switch_of(ServerOptions& options, std::string_view name) {
  if (name == "smtputf8") return &options.smtputf8;
  if (name == "chunking") return &options.chunking;
  if (name == "dsn") return &options.dsn;
  if (name == "starttls") return &options.starttls;
  if (name == "tls_required") return &options.tls_required;
  if (name == "xclient") return &options.xclient;
  if (name == "limits") return &options.limits;
  return nullptr;
}

void set_option(ServerOptions& options, std::string_view name, std::string_view value) {
  const auto number = base::to_number(value);
  if (name == "bare_newline" && (value == "normalize" || value == "reject")) {
    options.bare_newline = value == "normalize" ? BareNewline::kNormalize : BareNewline::kReject;
  } else if (name == "size_limit" && number) {
    options.size_limit = *number;
  } else if (name == "max_recipients" && number) {
    options.max_recipients = *number;
  } else if (name == "max_errors" && number) {
    options.max_errors = static_cast<int>(*number);
  } else if (name == "max_junk" && number) {
    options.max_junk = static_cast<int>(*number);
  } else if (bool* offered = switch_of(options, name); offered != nullptr && value.empty()) {
    *offered = true;
  } else if (name == "extra_ehlo") {
    options.extra_ehlo.emplace_back(value);
  } else {
    throw std::runtime_error(fmt::format("unknown option {} {}", name, value));
  }
}

void take_line(Script& script, std::string_view line) {
  if (line.empty() || line.front() == '#') return;
  if (line == "tls") return script.handshakes.push_back(script.client.size());
  if (line == "closed") {
    script.closed = true;
    return;
  }
  if (line.size() < 2 || line[1] != ':') throw std::runtime_error("no such line");
  const std::string_view text = line.substr(line.size() > 2 && line[2] == ' ' ? 3 : 2);
  const auto word = text.substr(0, text.find(' '));
  const auto rest = word.size() < text.size() ? text.substr(word.size() + 1) : std::string_view{};
  switch (line[0]) {
    case 'O': return set_option(script.options, word, rest);
    case 'A': script.answers[std::string(word)].emplace_back(rest); return;
    case 'C':
      script.client += text;
      script.client += "\r\n";
      return;
    case 'R': script.client += unescape(text); return;
    case 'S':
      script.server += text;
      script.server += "\r\n";
      return;
    case 'E': script.events.emplace_back(text); return;
    default: throw std::runtime_error("no such line");
  }
}

}  // namespace

std::string unescape(std::string_view in) {
  std::string out;
  while (!in.empty()) {
    const char c = in.front();
    in.remove_prefix(1);
    if (c != '\\') {
      out += c;
      continue;
    }
    if (in.empty()) throw std::runtime_error("backslash at the end");
    const char kind = in.front();
    in.remove_prefix(1);
    switch (kind) {
      case 'r': out += '\r'; break;
      case 'n': out += '\n'; break;
      case '0': out += '\0'; break;
      case '\\': out += '\\'; break;
      case '{': out += repetition(in); break;
      case 'x':
        if (in.size() < 2) throw std::runtime_error("bad \\x");
        out += static_cast<char>(hex_digit(in[0]) * 16 + hex_digit(in[1]));
        in.remove_prefix(2);
        break;
      default: throw std::runtime_error(fmt::format("unknown escape \\{}", kind));
    }
  }
  return out;
}

Script parse(const std::string& text) {
  Script script;
  script.options.hostname = "mx.test";
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    try {
      take_line(script, line);
    } catch (const std::exception& e) {
      throw std::runtime_error(fmt::format("line {}: {}", number, e.what()));
    }
  }
  if (script.server.empty()) throw std::runtime_error("the server says nothing in it");
  return script;
}

mail::Reply parse_reply(std::string_view text) {
  ReplyParser parser;
  if (!parser.line(text, text.size())) throw std::runtime_error(fmt::format("not a reply: {}", text));
  mail::Reply reply = parser.take();
  split_enhanced(reply);
  return reply;
}

std::string escape(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c == '\r') {
      out += "\\r";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (c < 32 || c > 126) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace holdfast::smtp::dialog
