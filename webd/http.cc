#include "webd/http.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/network.h"
#include "common/base/text.h"

namespace holdfast::webd {
namespace {

constexpr std::size_t kMostParameters = 64;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out.find('\0') == out.npos ? std::optional(out) : std::nullopt;
}

std::string json_text(std::string_view text) {
  std::string out;
  for (const char c : base::printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

struct Named {
  base::Kind kind;
  int status;
  const char* name;
};
constexpr Named kNamed[]{
    {base::Kind::kUsage, 400, "usage"},           {base::Kind::kData, 400, "data"},
    {base::Kind::kNotFound, 404, "not_found"},    {base::Kind::kUnavailable, 503, "unavailable"},
    {base::Kind::kTemporary, 409, "temporary"},   {base::Kind::kPermission, 403, "permission"},
    {base::Kind::kConfig, 409, "config"},
};

}  // namespace

std::string Request::header(std::string_view lower_name) const {
  const auto found = headers.find(lower_name);
  return found == headers.end() ? "" : found->second;
}

std::string Request::parameter(std::string_view name) const {
  const auto found = query.find(name);
  return found == query.end() ? "" : found->second;
}

std::optional<Target> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  Target out;
  for (const auto piece : base::split(target.substr(1, mark == target.npos ? mark : mark - 1), '/')) {
    auto decoded = decode(piece, false);
    if (!decoded || *decoded == ".." || *decoded == ".") return std::nullopt;
    out.path.push_back(std::move(*decoded));
  }
  if (mark == target.npos) return out;
  for (const auto pair : base::split(target.substr(mark + 1), '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals), true);
    auto value = equals == pair.npos ? std::optional<std::string>("") : decode(pair.substr(equals + 1), true);
    if (!name || !value || out.query.size() >= kMostParameters) return std::nullopt;
    out.query.emplace(std::move(*name), std::move(*value));
  }
  return out;
}

std::optional<std::string> cookie(std::string_view header, std::string_view name) {
  for (auto pair : base::split(header, ';')) {
    pair = base::trim(pair);
    const auto equals = pair.find('=');
    if (equals != pair.npos && pair.substr(0, equals) == name) return std::string(pair.substr(equals + 1));
  }
  return std::nullopt;
}

std::optional<std::string> bearer(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() <= kScheme.size() || !base::iequals(header.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  return std::string(base::trim(header.substr(kScheme.size())));
}

bool same_origin(const Request& request) {
  const std::string site = request.header("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return false;
  const std::string origin = request.header("origin");
  if (origin.empty()) return true;
  const auto behind = origin.find("://");
  const std::string host = request.header("host");
  return behind != origin.npos && !host.empty() && base::iequals(origin.substr(behind + 3), host);
}

bool from_loopback(const Request& request) {
  static const std::vector<base::Network> kLoopback{*base::Network::parse("127.0.0.0/8"), *base::Network::parse("::1")};
  for (const char* speaker : {"x-forwarded-for", "forwarded", "x-real-ip"}) {
    if (!request.header(speaker).empty()) return false;
  }
  const auto address = base::IpAddress::parse(request.address);
  return address && base::contains(kLoopback, *address);
}

bool etag_matches(std::string_view header, std::string_view etag) {
  return std::ranges::any_of(base::split(header, ','), [&](std::string_view one) {
    one = base::trim(one);
    if (one.starts_with("W/")) one.remove_prefix(2);
    return one == etag || one == "*";
  });
}

bool takes_gzip(std::string_view header) {
  return std::ranges::any_of(base::split(header, ','), [](std::string_view one) {
    const auto parts = base::split(one, ';');
    if (!base::iequals(base::trim(parts.front()), "gzip")) return false;
    return parts.size() < 2 || base::trim(parts[1]) != "q=0";
  });
}

Response error_response(int status, std::string_view kind, std::string_view text) {
  return {.status = status,
          .body = fmt::format("{{\"error\":{{\"kind\":\"{}\",\"text\":\"{}\"}}}}\n", kind, json_text(text))};
}

Response error_response(const base::Error& error) {
  const auto found = std::ranges::find(kNamed, error.kind, &Named::kind);
  if (found == std::end(kNamed)) return error_response(500, "internal", error.text);
  return error_response(found->status, found->name, error.text);
}

Response busy() { return error_response(503, "busy", "too much is being asked just now: try again in a moment"); }
Response unknown_caller() { return error_response(401, "unauthenticated", "log in, or send a token"); }

std::vector<std::pair<std::string, std::string>> safety_headers(bool secure) {
  std::vector<std::pair<std::string, std::string>> out{
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
       "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
  };
  if (secure) out.emplace_back("Strict-Transport-Security", "max-age=31536000");
  return out;
}

}  // namespace holdfast::webd
