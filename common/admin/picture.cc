#include "common/admin/picture.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <zlib.h>

#include "common/base/panic.h"

namespace holdfast::admin {
namespace {

struct Colour {
  std::array<std::uint8_t, 3> rgb;
  std::string_view web;
};
// In the order of Ink. Blue, amber and red differ for those who see no red or green too.
constexpr std::array<Colour, static_cast<std::size_t>(Ink::kSize)> kColours{{{{255, 255, 255}, "#ffffff"},
                                                                            {{64, 64, 64}, "#404040"},
                                                                            {{221, 221, 221}, "#dddddd"},
                                                                            {{31, 97, 196}, "#1f61c4"},
                                                                            {{30, 132, 73}, "#1e8449"},
                                                                            {{192, 32, 38}, "#c02026"},
                                                                            {{230, 145, 0}, "#e69100"}}};

// Rows of three dots each, five of them, top first.
struct Glyph {
  char letter;
  std::array<std::uint8_t, 5> rows;
};
constexpr Glyph kGlyphs[] = {
    {'0', {7, 5, 5, 5, 7}}, {'1', {2, 6, 2, 2, 7}}, {'2', {7, 1, 7, 4, 7}}, {'3', {7, 1, 7, 1, 7}}, {'4', {5, 5, 7, 1, 1}},
    {'5', {7, 4, 7, 1, 7}}, {'6', {7, 4, 7, 5, 7}}, {'7', {7, 1, 1, 2, 2}}, {'8', {7, 5, 7, 5, 7}}, {'9', {7, 5, 7, 1, 7}},
    {':', {0, 2, 0, 2, 0}}, {'.', {0, 0, 0, 0, 2}}, {'-', {0, 0, 7, 0, 0}}, {'k', {4, 5, 6, 5, 5}}, {'M', {5, 7, 7, 5, 5}},
    {'G', {7, 4, 5, 5, 7}}};

void put_number(std::string& out, std::uint32_t n) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
}

void put_chunk(std::string& out, std::string_view type, std::string_view data) {
  put_number(out, static_cast<std::uint32_t>(data.size()));
  const auto begin = out.size();
  out.append(type).append(data);
  const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(out.data() + begin), static_cast<uInt>(out.size() - begin));
  put_number(out, static_cast<std::uint32_t>(sum));
}

std::string packed(const std::string& plain) {
  uLongf size = ::compressBound(static_cast<uLong>(plain.size()));
  std::string out(size, '\0');
  const int done = ::compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
                               static_cast<uLong>(plain.size()), Z_BEST_COMPRESSION);
  base::expect(done == Z_OK, "a picture cannot be packed");
  out.resize(size);
  return out;
}

}  // namespace

std::string_view web_colour(Ink ink) { return kColours[static_cast<std::size_t>(ink)].web; }

Picture::Picture(int width, int height)
    : width_(std::clamp(width, 1, kMostWidth)),
      height_(std::clamp(height, 1, kMostHeight)),
      dots_(static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_)) {}

void Picture::dot(int x, int y, Ink ink) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  dots_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)] = static_cast<std::uint8_t>(ink);
}

Ink Picture::at(int x, int y) const {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return Ink::kPaper;
  return static_cast<Ink>(dots_[static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)]);
}

void Picture::fill(int left, int top, int width, int height, Ink ink) {
  const int right = std::min(left + width, width_), bottom = std::min(top + height, height_);
  for (int y = std::max(top, 0); y < bottom; ++y) {
    for (int x = std::max(left, 0); x < right; ++x) dot(x, y, ink);
  }
}

// As wide as a pen of two dots, going one dot at a time along the longer side.
void Picture::line(int x0, int y0, int x1, int y1, Ink ink) {
  const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
  for (int i = 0; i <= steps; ++i) {
    const int x = x0 + (x1 - x0) * i / steps, y = y0 + (y1 - y0) * i / steps;
    dot(x, y, ink);
    dot(x, y - 1, ink);
  }
}

void Picture::write(int x, int y, std::string_view text, Ink ink) {
  for (const char letter : text) {
    const auto found = std::ranges::find(kGlyphs, letter, &Glyph::letter);
    for (int row = 0; found != std::end(kGlyphs) && row < 5; ++row) {
      for (int column = 0; column < 3; ++column) {
        if ((found->rows[static_cast<std::size_t>(row)] >> (2 - column) & 1) != 0) fill(x + 2 * column, y + 2 * row, 2, 2, ink);
      }
    }
    x += text_width(" ");
  }
}

std::string Picture::png() const {
  std::string head, palette, rows;
  put_number(head, static_cast<std::uint32_t>(width_));
  put_number(head, static_cast<std::uint32_t>(height_));
  head.append({8, 3, 0, 0, 0});  // bits, with a palette, the only packing and filtering there are, not interlaced
  for (const auto& colour : kColours) palette.append(colour.rgb.begin(), colour.rgb.end());
  for (std::size_t y = 0; y < static_cast<std::size_t>(height_); ++y) {
    const auto begin = dots_.begin() + static_cast<std::ptrdiff_t>(y * static_cast<std::size_t>(width_));
    rows += '\0';  // this row is not filtered
    rows.append(begin, begin + width_);
  }
  std::string out = "\x89PNG\r\n\x1a\n";
  put_chunk(out, "IHDR", head);
  put_chunk(out, "PLTE", palette);
  put_chunk(out, "IDAT", packed(rows));
  put_chunk(out, "IEND", "");
  return out;
}

}  // namespace holdfast::admin
