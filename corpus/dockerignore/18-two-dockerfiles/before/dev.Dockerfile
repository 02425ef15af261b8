FROM node:22
WORKDIR /src
COPY . .
RUN npm install
CMD ["npm", "test"]
