// A small picture for a mail, drawn by us and written as PNG (W3C PNG, 8 bit with a palette; packed by zlib): many mail
// programs show no SVG. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::admin {

enum class Ink : std::uint8_t { kPaper, kText, kGrid, kBlue, kGreen, kRed, kAmber, kSize };
// "#2a6fdb", as a page writes it.
std::string_view web_colour(Ink ink);

class Picture {
 public:
  static constexpr int kMostWidth = 2000, kMostHeight = 2000;

  Picture(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  // What lies outside is not drawn; at() there is paper.
  void dot(int x, int y, Ink ink);
  Ink at(int x, int y) const;
  void fill(int left, int top, int width, int height, Ink ink);
  void line(int x0, int y0, int x1, int y1, Ink ink);
  // Digits and ":.-kMG", 10 pixels high and 8 wide; anything else is a blank.
  void write(int x, int y, std::string_view text, Ink ink);
  static int text_width(std::string_view text) { return 8 * static_cast<int>(text.size()); }
  static constexpr int kTextHeight = 10;

  std::string png() const;

 private:
  int width_, height_;
  std::vector<std::uint8_t> dots_;
};

}  // namespace holdfast::admin
