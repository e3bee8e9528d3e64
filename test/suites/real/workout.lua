-- A script of substance: closures, coroutines, metatables, string.pack, patterns, big tables, GC, files.
local function sieve(n)
  local composite, primes = {}, {}
  for i = 2, n do
    if not composite[i] then
      primes[#primes + 1] = i
      for j = i * i, n, i do composite[j] = true end
    end
  end
  return primes
end
local primes = sieve(200000)
print("primes", #primes, primes[#primes])

local function permutations(list, n)
  n = n or #list
  if n <= 1 then coroutine.yield(list) return end
  for i = 1, n do
    list[n], list[i] = list[i], list[n]
    permutations(list, n - 1)
    list[n], list[i] = list[i], list[n]
  end
end
local count, checksum = 0, 0
for p in coroutine.wrap(function() permutations {1, 2, 3, 4, 5, 6, 7} end) do
  count = count + 1
  checksum = (checksum * 31 + p[1] * 7 + p[7]) % 1000003
end
print("permutations", count, checksum)

local Vector = {}
Vector.__index = Vector
Vector.__add = function(a, b) return setmetatable({x = a.x + b.x, y = a.y + b.y}, Vector) end
Vector.__eq = function(a, b) return a.x == b.x and a.y == b.y end
Vector.__tostring = function(v) return string.format("(%.3f, %.3f)", v.x, v.y) end
local sum = setmetatable({x = 0, y = 0}, Vector)
for i = 1, 1000 do sum = sum + setmetatable({x = math.sin(i), y = math.cos(i)}, Vector) end
print("vector", tostring(sum))

local words = {}
for w in ("the quick brown fox jumps over the lazy dog the end"):gmatch("%a+") do
  words[w] = (words[w] or 0) + 1
end
local keys = {}
for k in pairs(words) do keys[#keys + 1] = k end
table.sort(keys)
for _, k in ipairs(keys) do io.write(k, "=", words[k], " ") end
print()

local packed = string.pack("<i4 d s2 z", -42, 2.5, "payload", "zero")
print("pack", #packed, string.unpack("<i4 d s2 z", packed))

local name = os.tmpname()
local f = assert(io.open(name, "w"))
for i = 1, 5000 do f:write(i, " ", i * i, "\n") end
f:close()
local total = 0
for line in io.lines(name) do total = total + tonumber(line:match("%s(%d+)")) end
print("file", total)
f = assert(io.open(name, "r+"))
f:seek("set", 4)
f:write("XY")
f:seek("end")
print("size", f:seek())
f:close()
assert(os.remove(name))
print("gone", io.open(name))

local weak = setmetatable({}, {__mode = "v"})
for i = 1, 100 do weak[i] = {} end
collectgarbage()
collectgarbage()
print("weak", next(weak))
print("error", select(2, pcall(error, {code = 7})).code)
print("nested", select(2, pcall(function() local t = nil; return t.x end)))
for i = 1, 200 do local t = {} for j = 1, 1000 do t[j] = tostring(j) end end
print("done")
os.exit(7)
