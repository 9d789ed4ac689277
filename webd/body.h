// JSON in requests and answers, for the answers' own files. Only .cc files include this.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/admin/text_json.h"
#include "webd/call.h"

namespace holdfast::webd {

using admin::json;

inline Response answer(const json& object) { return {.body = admin::dump_line(object)}; }
// A line that is JSON already.
inline Response answer_text(std::string line) { return {.body = std::move(line)}; }
inline Response failure(const base::Error& error) { return error_response(error); }

// The request's object; kUsage for anything else.
base::Result<json> body_of(const Call& call);
// Members by type; absent and null are empty, another type is kUsage.
base::Result<std::string> text_of(const json& object, const char* name);
base::Result<std::vector<std::string>> texts_of(const json& object, const char* name, std::size_t most);
base::Result<bool> flag_of(const json& object, const char* name);

// Lines, each a JSON text with its newline, as the members of an array.
std::string array_of(const std::vector<std::string>& lines);

// A number from the query between 1 and `most`; `otherwise` when it is not there.
base::Result<std::size_t> limit_of(const Call& call, std::size_t otherwise, std::size_t most);

// Asks a daemon on the caller's behalf; its answer is the answer.
Response ask(Call& call, const std::string& daemon, const std::string& command, const std::vector<std::string>& words,
             base::Seconds patience);

}  // namespace holdfast::webd
