WORDS = ("The travel policy changed in three places: hotel rates follow the city list, " \
         "train tickets need no approval, and receipts are due within thirty days.").split

run(lambda do |_env|
  body = Enumerator.new do |out|
    WORDS.each do |word|
      out << "#{word} "
      sleep 0.05
    end
  end
  [200, { "content-type" => "text/plain" }, body]
end)
