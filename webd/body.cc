#include "webd/body.h"

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::webd {
namespace {

std::unexpected<base::Error> wrong(const char* name, const char* wanted) {
  return base::fail(base::Kind::kUsage, fmt::format("'{}' must be {}", name, wanted));
}

bool absent(const json& object, const char* name) { return !object.contains(name) || object.at(name).is_null(); }

}  // namespace

base::Result<json> body_of(const Call& call) {
  json out = call.request.body.empty() ? json::object() : json::parse(call.request.body, nullptr, false);
  if (!out.is_object()) return base::fail(base::Kind::kUsage, "the request's body must be a JSON object");
  return out;
}

base::Result<std::string> text_of(const json& object, const char* name) {
  if (absent(object, name)) return "";
  if (!object.at(name).is_string()) return wrong(name, "a text");
  auto out = object.at(name).get<std::string>();
  if (out.find('\0') != out.npos) return wrong(name, "a text without zero bytes");
  return out;
}

base::Result<std::vector<std::string>> texts_of(const json& object, const char* name, std::size_t most) {
  std::vector<std::string> out;
  if (absent(object, name)) return out;
  const json& list = object.at(name);
  if (!list.is_array()) return wrong(name, "a list of texts");
  if (list.size() > most) return base::fail(base::Kind::kUsage, fmt::format("'{}' has more than {} members", name, most));
  for (const auto& item : list) {
    if (!item.is_string()) return wrong(name, "a list of texts");
    out.push_back(item.get<std::string>());
    if (out.back().find('\0') != std::string::npos) return wrong(name, "texts without zero bytes");
  }
  return out;
}

base::Result<bool> flag_of(const json& object, const char* name) {
  if (absent(object, name)) return false;
  if (!object.at(name).is_boolean()) return wrong(name, "true or false");
  return object.at(name).get<bool>();
}

std::string array_of(const std::vector<std::string>& lines) {
  std::string out = "[";
  for (const auto& line : lines) {
    if (out.size() > 1) out += ',';
    out += base::trim(line);
  }
  return out + "]";
}

base::Result<std::size_t> limit_of(const Call& call, std::size_t otherwise, std::size_t most) {
  const std::string text = call.request.parameter("limit");
  if (text.empty()) return otherwise;
  const auto number = base::to_number(text);
  if (!number || *number == 0 || *number > most) {
    return base::fail(base::Kind::kUsage, fmt::format("'limit' must be a number from 1 to {}", most));
  }
  return static_cast<std::size_t>(*number);
}

Response ask(Call& call, const std::string& daemon, const std::string& command, const std::vector<std::string>& words,
             base::Seconds patience) {
  auto told = call.gateway->ask(daemon, command, words, patience);
  if (!told) return failure(told.error());
  return answer_text((told->empty() ? "{}" : *told) + "\n");
}

}  // namespace holdfast::webd
